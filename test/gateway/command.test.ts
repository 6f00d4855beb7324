/** `tidegate --config` as a process of its own, with real files, signals and children. */
import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ensureBuilt } from '../../scripts/bootstrap.mjs';
import { verifyAudit } from '../../src/adapters/audit/verify-audit.ts';
import { CliProcess } from '../cli-process.ts';
import { ROOT } from '../source-files.ts';
import { childrenOf, survivors } from '../upstreams/processes.ts';
import { initialize, note, rpc } from '../wire/conversation.ts';
import { pidsIn, temporaryFolder, TOKEN } from './gateway-host.ts';

const CHILD = join(ROOT, 'test/fixtures/gateway/child.mjs');
const MODULE = join(ROOT, 'test/fixtures/gateway/module.mjs');

beforeAll(async () => {
  await ensureBuilt();
}, 120_000);

/** @param servers - the greeting of each child, by its server's name. */
function yamlOf(folder: string, servers: Readonly<Record<string, string>>): string {
  const entries = Object.entries(servers).map(
    ([name, greeting]) =>
      `  ${name}:\n    command: ${process.execPath}\n    args: [${CHILD}]\n` +
      `    env: { GREETING: ${greeting}, PID_FILE: ${join(folder, 'pids')} }\n`,
  );
  return `auth: { token: ${TOKEN} }\nservers:\n${entries.join('')}`;
}

interface RunningCli {
  readonly cli: CliProcess;
  readonly url: string;
  /** What the server of a name says of itself, or the status that was answered. */
  readonly named: (name: string) => Promise<string>;
}

async function running(
  file: string,
  folder: string,
  options: readonly string[] = [],
): Promise<RunningCli> {
  const args = ['--config', file, '--port', '0', '--log-format', 'json', ...options];
  const cli = new CliProcess(args, { XDG_CONFIG_HOME: folder });
  onTestFinished(async () => {
    if (cli.child.exitCode === null) cli.child.kill('SIGKILL');
    await cli.ended;
  });
  const [, url = ''] = await cli.printed(/(http:\/\/[^/\s"]+)\/[a-z]+\/mcp/);
  const named = async (name: string): Promise<string> => {
    const reply = await fetch(`${url}/${name}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${TOKEN}`,
      },
      body: JSON.stringify(initialize('2025-11-25')),
    });
    const text = await reply.text();
    return /"serverInfo":\{"name":"([^"]+)"/.exec(text)?.[1] ?? String(reply.status);
  };
  return { cli, url, named };
}

/** Opens a session and resolves once its call is in flight: the reply has become a stream. */
async function held(url: string): Promise<void> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${TOKEN}`,
  };
  const post = (body: unknown, more: Readonly<Record<string, string>> = {}): Promise<Response> =>
    fetch(url, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(body) });
  const opened = await post(initialize('2025-11-25'));
  await opened.text();
  const session = {
    'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
    'mcp-protocol-version': '2025-11-25',
  };
  await (await post(note('notifications/initialized'), session)).text();
  const reply = await post(rpc(7, 'tools/call', { name: 'hold', arguments: {} }), session);
  expect(reply.headers.get('content-type')).toContain('text/event-stream');
  reply.text().catch(() => {});
}

describe('tidegate --config', () => {
  it('prints where each server is, and serves all of them until SIGTERM ends their processes', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'tidegate.yaml');
    writeFileSync(
      file,
      `${yamlOf(folder, { one: 'first', two: 'second' })}  three: { module: ${MODULE}, export: buildServer }\n`,
    );
    const { cli, url, named } = await running(file, folder);
    expect([await named('one'), await named('two'), await named('three')]).toEqual([
      'first',
      'second',
      'module',
    ]);
    expect(await named('four')).toBe('404');
    for (const name of ['all', 'one', 'two', 'three']) {
      expect(cli.stderr).toContain(`${url}/${name}/mcp`);
    }
    expect(cli.stderr).not.toContain(TOKEN);
    const children = [...childrenOf(cli.child.pid ?? 0), ...pidsIn(join(folder, 'pids'))];
    expect(await cli.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(await survivors(children, 5000)).toEqual([]);
  });

  it.each([
    ['SIGTERM', ['lost']],
    ['SIGKILL', []],
  ] as const)('keeps a record, and after %s the next start goes on with it', async (end, lost) => {
    const folder = temporaryFolder();
    const file = join(folder, 'tidegate.yaml');
    const record = join(folder, 'audit.jsonl');
    const audit = `audit: { file: ${record}, required: true }\n`;
    writeFileSync(file, yamlOf(folder, { one: 'first' }) + audit);
    const { cli, url } = await running(file, folder);
    const second = new CliProcess(['--config', file, '--port', '0'], { XDG_CONFIG_HOME: folder });
    expect((await second.end()).code).toBe(1);
    expect(second.stderr).toContain(`process ${cli.child.pid} keeps it`);
    await held(`${url}/one/mcp`);
    cli.child.kill('SIGTERM');
    await cli.printed(/"event":"draining"/);
    // Signals that come closely count as one gesture.
    await new Promise((resolve) => setTimeout(resolve, 300));
    cli.child.kill(end);
    await cli.ended;
    const calls = readFileSync(record, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"hold"'))
      .map((line) => (JSON.parse(line) as { outcome: string }).outcome);
    expect(calls).toEqual(lost);
    const again = await running(file, folder);
    await again.cli.end('SIGTERM');
    expect(await verifyAudit([record])).toMatchObject({ from: 1, faults: [] });
  });

  it('opens no debugger on SIGUSR1', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'tidegate.yaml');
    writeFileSync(file, yamlOf(folder, { one: 'first' }));
    const { cli, named } = await running(file, folder);
    cli.child.kill('SIGUSR1');
    cli.child.kill('SIGHUP');
    await cli.printed(/"event":"config_applied"/);
    expect(await named('one')).toBe('first');
    expect(await cli.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(cli.stderr).not.toContain('Debugger');
  });

  it('takes the file of a desktop host as it is', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'claude_desktop_config.json');
    const everything = { command: process.execPath, args: [CHILD], env: { GREETING: 'desktop' } };
    writeFileSync(file, JSON.stringify({ mcpServers: { Everything: everything } }));
    const cli = new CliProcess(['--config', file, '--port', '0', '--json'], {
      XDG_CONFIG_HOME: folder,
      TIDEGATE_TOKEN: TOKEN,
    });
    onTestFinished(() => void cli.child.kill('SIGKILL'));
    const [line] = await cli.printed(/^\{.*"urls".*\}$/m);
    const facts = JSON.parse(line) as { urls: Record<string, unknown>; token: null };
    expect(Object.keys(facts.urls)).toEqual(['everything']);
    expect(facts.token).toBeNull();
    expect(await cli.end('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  it('reads the file again on SIGHUP, and goes on with what did not change', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'tidegate.yaml');
    writeFileSync(file, yamlOf(folder, { one: 'first', two: 'second' }));
    const { cli, named } = await running(file, folder);
    expect(await named('two')).toBe('second');
    cli.child.kill('SIGHUP');
    await cli.printed(/"event":"config_applied".*"cause":"signal","kept":2/);
    writeFileSync(file, yamlOf(folder, { one: 'first', two: 'changed', three: 'third' }));
    await cli.printed(/"event":"config_applied".*"added":"three","changed":"two","kept":1/);
    expect([await named('one'), await named('two'), await named('three')]).toEqual([
      'first',
      'changed',
      'third',
    ]);
  });

  it('keeps what runs when the file turns bad, and says each problem with its line', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'tidegate.yaml');
    writeFileSync(file, yamlOf(folder, { one: 'first' }));
    const { cli, named } = await running(file, folder);
    writeFileSync(file, 'auth: maybe\nservers:\n  one: { comand: node }\n');
    await cli.printed(/"event":"config_problem".*"line":1,/);
    await cli.printed(/"event":"config_problem".*"line":3,/);
    await cli.printed(/"event":"config_refused"/);
    expect(await named('one')).toBe('first');
    writeFileSync(file, yamlOf(folder, { one: 'mended' }));
    await cli.printed(/"event":"config_applied"/);
    expect(await named('one')).toBe('mended');
  });

  it('follows a file that is replaced, removed and made again, or reached by links', async () => {
    const folder = temporaryFolder();
    const mount = join(folder, 'mount');
    const version = (number: number, greeting: string): void => {
      mkdirSync(join(mount, `..v${number}`), { recursive: true });
      writeFileSync(join(mount, `..v${number}`, 'c.yaml'), yamlOf(folder, { one: greeting }));
      symlinkSync(`..v${number}`, join(mount, '..next'));
      renameSync(join(mount, '..next'), join(mount, '..data'));
    };
    version(1, 'first');
    symlinkSync(join('..data', 'c.yaml'), join(mount, 'c.yaml'));
    const { cli, named } = await running(join(mount, 'c.yaml'), folder);
    expect(await named('one')).toBe('first');
    // As Kubernetes brings a new ConfigMap.
    version(2, 'second');
    rmSync(join(mount, '..v1'), { recursive: true });
    await cli.printed(/config_applied/);
    expect(await named('one')).toBe('second');
    // As editors save.
    const seen = cli.stderr.length;
    unlinkSync(join(mount, 'c.yaml'));
    writeFileSync(join(mount, 'draft'), yamlOf(folder, { one: 'third' }));
    renameSync(join(mount, 'draft'), join(mount, 'c.yaml'));
    await cli.printed(new RegExp(`^[^]{${seen + cli.stdout.length},}config_applied`));
    expect(await named('one')).toBe('third');
  });

  it('says everything that is wrong with the file, and starts nothing', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'tidegate.yaml');
    writeFileSync(file, `${yamlOf(folder, { one: 'first' })}  two: {}\n  all: { url: x }\n`);
    const cli = new CliProcess(['--config', file], { XDG_CONFIG_HOME: folder });
    const { code } = await cli.end();
    expect(code).toBe(1);
    expect(cli.stderr).toMatch(/:7:\d+ {2}servers\.two/);
    expect(cli.stderr).toMatch(/:8:\d+ {2}servers\.all/);
    expect(() => readFileSync(join(folder, 'pids'))).toThrow('ENOENT');
  });

  it('goes on when one of its servers cannot be started, and says so', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'tidegate.yaml');
    const servers = yamlOf(folder, { one: 'first' });
    writeFileSync(file, `${servers}  two: { command: no-such-command-here }\n`);
    const { cli, url, named } = await running(file, folder);
    expect(cli.stderr).toContain('servers.two.command: This program is not on PATH.');
    expect(await named('one')).toBe('first');
    expect(await named('two')).toBe('502');
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    await cli.end('SIGINT');
  });
});
