/**
 * The command line of the official Inspector. It needs a newer Node than the floor and brings much
 * with it, so it is pinned, with that Node, by the lock file in `inspector/`, and lives in a cache
 * of its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PINS = fileURLToPath(new URL('inspector/', import.meta.url));
const CACHE = fileURLToPath(
  new URL('../../node_modules/.cache/tidegate-inspector/', import.meta.url),
);
const COMMAND = join(
  CACHE,
  'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
);
const INSTALL_MS = 180_000;
const RUN_MS = 30_000;

export interface InspectorRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Inspector {
  readonly #node: string;

  private constructor(node: string) {
    this.#node = node;
  }

  /**
   * Installs it unless exactly what the lock file says is there. @returns it, or why it cannot be
   * run.
   */
  static async installed(): Promise<Inspector | string> {
    const pinned = await read(join(PINS, 'package-lock.json'));
    if (pinned !== (await read(join(CACHE, 'installed.lock.json')))) {
      await rm(CACHE, { recursive: true, force: true });
      await mkdir(CACHE, { recursive: true });
      await cp(PINS, CACHE, { recursive: true });
      const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
      const { exitCode } = await run('npm', args, INSTALL_MS);
      if (exitCode !== 0) return 'it could not be installed';
      await cp(join(PINS, 'package-lock.json'), join(CACHE, 'installed.lock.json'));
    }
    const node = await pinnedNode();
    return node === undefined ? 'npm has no Node.js 22 for this platform' : new Inspector(node);
  }

  /** Runs its command line once, with a home of its own. */
  async run(...args: readonly string[]): Promise<InspectorRun> {
    const home = await mkdtemp(join(tmpdir(), 'tidegate-inspector-'));
    try {
      return await run(this.#node, [COMMAND, '--cli', ...args], RUN_MS, home);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  }
}

async function run(
  command: string,
  args: readonly string[],
  ms: number,
  home?: string,
): Promise<InspectorRun> {
  const env = home === undefined ? process.env : { ...process.env, HOME: home, USERPROFILE: home };
  const child = spawn(command, args, {
    cwd: CACHE,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: ms,
    killSignal: 'SIGKILL',
    shell: process.platform === 'win32' && command === 'npm',
  });
  const texts = [child.stdout, child.stderr].map(async (stream) => {
    let text = '';
    for await (const chunk of stream.setEncoding('utf8')) text += String(chunk);
    return text;
  });
  const [[exitCode], stdout = '', stderr = ''] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    ...texts,
  ]);
  return { exitCode, stdout, stderr };
}

async function pinnedNode(): Promise<string | undefined> {
  const pins = JSON.parse((await read(join(PINS, 'package.json'))) ?? '{}') as {
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  for (const name of Object.keys(pins.optionalDependencies)) {
    const folder = join(CACHE, 'node_modules', name);
    const manifest = await read(join(folder, 'package.json'));
    if (manifest === undefined) continue;
    return join(folder, (JSON.parse(manifest) as { bin: { node: string } }).bin.node);
  }
  return undefined;
}

async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
