/** A client in another language, on strings: a program that takes commands as JSON lines. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Told, type CallOptions, type Person } from '../clients/person.ts';

const START_MS = 20_000;
const COMMAND_MS = 20_000;
const STOP_MS = 5000;

interface Reply {
  readonly id?: number;
  readonly value?: unknown;
  readonly error?: string;
  readonly progress?: number;
  readonly told?: 'log' | 'change' | 'error';
  readonly data?: unknown;
  readonly what?: string;
  readonly server?: string;
  readonly version?: string;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class Puppet implements Person {
  readonly told = new Told();
  readonly endpoint: undefined;
  serverName: string | undefined;
  version: string | undefined;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, Waiting>();
  /** Kept: an SDK may hand progress out after the result that it came before. */
  readonly #reporters = new Map<number, (progress: number) => void>();
  #lastId = 0;
  #stderr = '';

  private constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: 'pipe' });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4000);
    });
    this.#child.stdin.on('error', () => {});
    this.#child.on('close', () => this.#fail());
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#hear(line));
  }

  /** Resolves when the client is connected; rejects with what the program said when it cannot. */
  static async started(command: string, args: readonly string[]): Promise<Puppet> {
    const puppet = new Puppet(command, args);
    const spawned = once(puppet.#child, 'spawn');
    const hello = puppet.#expect(0, START_MS);
    await Promise.all([spawned, hello]).catch((error: unknown) => {
      puppet.#child.kill('SIGKILL');
      throw error;
    });
    return puppet;
  }

  tools(): Promise<readonly string[]> {
    return this.#ask<readonly string[]>({ do: 'tools' });
  }

  call(
    name: string,
    args: Record<string, unknown> = {},
    { onProgress, signal }: CallOptions = {},
  ): Promise<string> {
    const wanted = { do: 'call', name, args, progress: onProgress !== undefined };
    const answer = this.#ask<string>(wanted, onProgress);
    const of = this.#lastId;
    signal?.addEventListener('abort', () => {
      this.#lastId += 1;
      this.#tell({ id: this.#lastId, do: 'cancel', of });
    });
    return answer;
  }

  counts(): Promise<readonly [number, number, number]> {
    return this.#ask<readonly [number, number, number]>({ do: 'counts' });
  }

  read(uri: string): Promise<string> {
    return this.#ask<string>({ do: 'read', uri });
  }

  prompt(name: string, args: Record<string, string> = {}): Promise<string> {
    return this.#ask<string>({ do: 'prompt', name, args });
  }

  complete(prompt: string, argument: string, value: string): Promise<readonly string[]> {
    return this.#ask<readonly string[]>({ do: 'complete', prompt, argument, value });
  }

  async hearLogs(): Promise<void> {
    await this.#ask({ do: 'hearLogs' });
  }

  async watch(uri: string): Promise<void> {
    await this.#ask({ do: 'watch', uri });
  }

  async close(): Promise<void> {
    if (this.#hasEnded()) return;
    const closed = once(this.#child, 'close');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    this.#tell({ id: 0, do: 'close' });
    this.#child.stdin.end();
    await closed;
    clearTimeout(timer);
  }

  #ask<T>(command: object, onProgress?: (progress: number) => void): Promise<T> {
    this.#lastId += 1;
    const answer = this.#expect(this.#lastId, COMMAND_MS, onProgress);
    this.#tell({ id: this.#lastId, ...command });
    return answer as Promise<T>;
  }

  #expect(id: number, ms: number, onProgress?: (progress: number) => void): Promise<unknown> {
    const answer = new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    if (onProgress !== undefined) this.#reporters.set(id, onProgress);
    if (this.#hasEnded()) this.#fail();
    const timer = setTimeout(() => {
      this.#waiting.get(id)?.reject(new Error(`The client did not answer. ${this.#stderr}`));
    }, ms);
    return answer.finally(() => clearTimeout(timer));
  }

  #tell(command: object): void {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  #hear(line: string): void {
    const reply = JSON.parse(line) as Reply;
    if (reply.told === 'log') this.told.log(reply.data);
    else if (reply.told === 'change') this.told.change(reply.what ?? '');
    else if (reply.told === 'error') this.told.error(new Error(reply.what));
    else if (reply.id === undefined) this.#connected(reply);
    else this.#answered(reply, reply.id);
  }

  #connected({ server, version }: Reply): void {
    this.serverName = server;
    this.version = version;
    this.#answered({ value: undefined }, 0);
  }

  #answered({ value, error, progress }: Reply, id: number): void {
    const waiting = this.#waiting.get(id);
    if (progress !== undefined) {
      this.#reporters.get(id)?.(progress);
      return;
    }
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(error));
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #fail(): void {
    const error = new Error(`The client ended. ${this.#stderr}`);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
