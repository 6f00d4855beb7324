/** The built command as a process of its own, for tests: what it printed, and when it ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './source-files.ts';

const MAIN = join(ROOT, 'dist/cli/main.js');
const PATIENCE_MS = 15_000;

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class CliProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ending>;
  stdout = '';
  stderr = '';
  #onOutput: () => void = () => {};

  /**
   * @param env - the whole environment besides PATH.
   * @param program - the file that Node runs. Default: the built command.
   * @param input - whether something can be written to it.
   * @param cwd - where it starts. Default: where we are.
   */
  constructor(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    program = MAIN,
    input: 'ignore' | 'pipe' = 'ignore',
    cwd?: string,
  ) {
    this.child = spawn(process.execPath, [program, ...args], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      cwd,
      stdio: [input, 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#onOutput();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#onOutput();
    });
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        resolve({ code, signal });
        this.#onOutput();
      });
    });
  }

  /** Resolves with the match once the output has it. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    let match: RegExpExecArray | null = null;
    let hasEnded = false;
    void this.ended.then(() => {
      hasEnded = true;
    });
    await bounded(
      new Promise<void>((resolve, reject) => {
        this.#onOutput = () => {
          match = pattern.exec(this.stdout + this.stderr);
          if (match !== null) resolve();
          else if (hasEnded) reject(new Error(`ended without ${pattern}: ${this.stderr}`));
        };
        this.#onOutput();
      }),
      () => `no ${pattern} in: ${this.stdout}${this.stderr}`,
    );
    if (match === null) throw new Error('unreachable');
    return match;
  }

  end(signal?: NodeJS.Signals): Promise<Ending> {
    if (signal !== undefined) this.child.kill(signal);
    return bounded(this.ended, () => `still running: ${this.stderr}`);
  }
}

/** Fails instead of hanging. */
export async function bounded<T>(promise: Promise<T>, complaint: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(complaint())), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, patience]);
  } finally {
    clearTimeout(timer);
  }
}
