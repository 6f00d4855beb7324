/** A certified provider in a process of its own, and a client of it. Gone when the test is over. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { ROOT } from '../source-files.ts';

export class IdentityProvider {
  readonly url: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;

  private constructor(child: ChildProcessWithoutNullStreams, lines: Interface, url: string) {
    this.#child = child;
    this.#lines = lines;
    this.url = url;
  }

  static async start(): Promise<IdentityProvider> {
    const child = spawn(process.execPath, [join(ROOT, 'test/fixtures/identity/provider.mjs')]);
    onTestFinished(() => void child.kill('SIGKILL'));
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const lines = createInterface({ input: child.stdout });
    const first: unknown = await Promise.race([
      once(lines, 'line').then(([line]: unknown[]) => line),
      once(child, 'exit').then(() => undefined),
    ]);
    if (typeof first !== 'string') throw new Error(`The provider ended: ${said}`);
    return new IdentityProvider(child, lines, first);
  }

  /** Signs with another key from now on. */
  async rotate(): Promise<void> {
    const done = once(this.#lines, 'line');
    this.#child.stdin.write('rotate\n');
    await done;
  }

  /** A token for one server. */
  async token(resource: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const form = { grant_type: 'client_credentials', scope: 'mcp', resource };
    const answer = await this.#post('/token', form, headers);
    const { access_token: token, ...rest } = answer;
    if (typeof token !== 'string') throw new Error(JSON.stringify(rest));
    return token;
  }

  async revoke(token: string): Promise<void> {
    await this.#post('/token/revocation', { token }, {});
  }

  async #post(
    path: string,
    form: Record<string, string>,
    headers: Readonly<Record<string, string>>,
  ): Promise<Record<string, unknown>> {
    const authorization = `Basic ${Buffer.from('cli:secret').toString('base64')}`;
    const response = await fetch(this.url + path, {
      method: 'POST',
      headers: { authorization, ...headers },
      body: new URLSearchParams(form),
    });
    const text = await response.text();
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  }
}
