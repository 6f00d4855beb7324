/** `tidegate --config` while the policies beside it change, and nothing else. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ensureBuilt } from '../../scripts/bootstrap.mjs';
import { CliProcess } from '../cli-process.ts';
import { ROOT } from '../source-files.ts';
import { initialize, note, rpc } from '../wire/conversation.ts';
import { temporaryFolder, TOKEN } from './gateway-host.ts';

const CHILD = join(ROOT, 'test/fixtures/gateway/child.mjs');
const EVERYTHING = 'permit (principal, action, resource);\n';
const NO_NOW = `${EVERYTHING}forbid (principal, action, resource == Tool::"files/now");\n`;

beforeAll(async () => {
  await ensureBuilt();
}, 120_000);

/** A gateway with its policies in a file of another folder than the config's. */
class Governed {
  readonly #policies: string;
  readonly #cli: CliProcess;
  #url = '';
  #session = '';
  #from = 0;

  private constructor(folder: string) {
    this.#policies = join(folder, 'policies.cedar');
    writeFileSync(this.#policies, EVERYTHING);
    const file = join(temporaryFolder(), 'tidegate.yaml');
    writeFileSync(
      file,
      `auth: { token: ${TOKEN} }\npolicy: { file: ${this.#policies} }\nservers:\n` +
        `  files: { command: ${process.execPath}, args: [${CHILD}] }\n`,
    );
    const args = ['--config', file, '--port', '0', '--log-format', 'json'];
    this.#cli = new CliProcess(args, { XDG_CONFIG_HOME: folder });
    onTestFinished(async () => {
      if (this.#cli.child.exitCode === null) this.#cli.child.kill('SIGKILL');
      await this.#cli.ended;
    });
  }

  static async start(): Promise<Governed> {
    const governed = new Governed(temporaryFolder());
    const [, url = ''] = await governed.#cli.printed(/(http:\/\/[^/\s"]+)\/[a-z]+\/mcp/);
    governed.#url = `${url}/files/mcp`;
    const opened = await governed.#post(initialize('2025-11-25'));
    governed.#session = opened.headers.get('mcp-session-id') ?? '';
    await opened.text();
    await governed.#post(note('notifications/initialized'));
    return governed;
  }

  /** As editors save: another file takes the name. */
  save(policies: string): void {
    this.#from = this.#cli.stdout.length + this.#cli.stderr.length;
    writeFileSync(`${this.#policies}~`, policies);
    renameSync(`${this.#policies}~`, this.#policies);
  }

  /** Of what was logged since the last save. */
  async logged(text: string): Promise<void> {
    await this.#cli.printed(new RegExp(`^[^]{${this.#from},}${text}`));
  }

  /** What a call of the tool comes to, in one session from beginning to end. */
  async call(): Promise<'done' | 'refused'> {
    const reply = await this.#post(rpc(1, 'tools/call', { name: 'now', arguments: {} }));
    const text = await reply.text();
    return reply.ok && text.includes('"result"') ? 'done' : 'refused';
  }

  #post(body: unknown): Promise<Response> {
    const session = this.#session === '' ? {} : { 'mcp-session-id': this.#session };
    return fetch(this.#url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${TOKEN}`,
        ...session,
      },
      body: JSON.stringify(body),
    });
  }
}

describe('policies in files of their own', () => {
  it('count from the next request on when they alone change', async () => {
    const gateway = await Governed.start();
    expect(await gateway.call()).toBe('done');
    gateway.save(NO_NOW);
    await gateway.logged('"event":"config_applied".*"cause":"file","kept":1');
    expect(await gateway.call()).toBe('refused');
    gateway.save(EVERYTHING);
    await gateway.logged('"event":"config_applied"');
    expect(await gateway.call()).toBe('done');
  });

  it('that cannot be read leave the ones before, and the line is told', async () => {
    const gateway = await Governed.start();
    gateway.save(NO_NOW);
    await gateway.logged('"event":"config_applied"');
    gateway.save(`${EVERYTHING}permit (principal, action;\n`);
    await gateway.logged('"event":"config_problem".*policies\\.cedar:2:\\d+: ');
    await gateway.logged('"event":"config_refused"');
    expect(await gateway.call()).toBe('refused');
    gateway.save(EVERYTHING);
    await gateway.logged('"event":"config_applied"');
    expect(await gateway.call()).toBe('done');
  });
});
