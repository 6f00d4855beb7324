/**
 * What a guide says under "Try it" is done as its reader would: in a clone, line by line, by a
 * shell, and what it prints is what stands there. `…` in a guide stands for anything. It needs a
 * build. The ports of the guides are replaced by free ones, in what they run, too, and what several
 * guides leave running is started once.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { listFiles, readText, ROOT } from './source-files.ts';

const HEADING = '## Try it\n';
const GUIDES = listFiles('docs/guides').filter((path) => readText(path).includes(HEADING));
const PORTS = ['8808', '9400', '8443'];
const RUNS_ON = '# leave it running';
const EXAMPLE = 'examples/enterprise';
/** What a server prints once it can be asked. */
const READY = /Ctrl-C ends it|^ {2}Token /m;
/** Between what two blocks print. */
const MARK = '\u001E';
const PATIENCE_MS = 100_000;
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

let clone = '';
let ports: ReadonlyMap<string, string> = new Map();
const shells: Shell[] = [];
/** By the line that starts it. */
const servers = new Map<string, Promise<string>>();

beforeAll(async () => {
  clone = mkdtempSync(join(tmpdir(), 'tidegate-guide-'));
  ports = await freePorts();
  for (const name of ['dist', 'node_modules']) symlinkSync(join(ROOT, name), join(clone, name));
  cpSync(join(ROOT, 'package.json'), join(clone, 'package.json'));
  cpSync(join(ROOT, EXAMPLE), join(clone, EXAMPLE), {
    recursive: true,
    // What somebody made who tried it here.
    filter: (path) => !/(keys\.json|audit\.jsonl[.\d]*)$/.test(path),
  });
  for (const name of readdirSync(join(clone, EXAMPLE))) {
    const path = join(clone, EXAMPLE, name);
    writeFileSync(path, withFreePorts(readFileSync(path, 'utf8')));
  }
});

afterAll(async () => {
  await Promise.all(shells.map((each) => each.end()));
  rmSync(clone, { recursive: true });
});

test('the guides that can be tried say how', () => {
  const names = ['api-keys', 'audit', 'identity-provider', 'limits', 'policies', 'tenants', 'tls'];
  expect(GUIDES).toEqual(names.map((name) => `docs/guides/${name}.md`));
});

for (const path of GUIDES) {
  const isPossible = !path.endsWith('/tls.md') || hasOpenssl;
  const why = isPossible ? '' : ' (skipped: openssl is not installed)';
  const options = { timeout: 2 * PATIENCE_MS };
  test.runIf(isPossible)(`${path} can be tried as it says${why}`, options, async () => {
    const shell = new Shell();
    for (const { commands, printed } of stepsOf(readText(path))) {
      const lines = commands.split('\n');
      for (const line of lines.filter((each) => each.endsWith(RUNS_ON))) await leaveRunning(line);
      const rest = lines.filter((line) => !line.endsWith(RUNS_ON)).join('\n');
      const said = await shell.run(`${rest}\nprintf '${MARK}'`, MARK);
      expect(said.replace(MARK, '')).toMatch(patternOf(printed));
    }
  });
}

async function leaveRunning(line: string): Promise<void> {
  const started = servers.get(line) ?? new Shell().run(line, READY);
  servers.set(line, started);
  await started;
}

interface Step {
  readonly commands: string;
  readonly printed: string;
}

/** Blocks of commands, each with the block of text that may follow it. */
function stepsOf(page: string): Step[] {
  const section = page.slice(page.indexOf(HEADING) + HEADING.length).split(/^## /m)[0] ?? '';
  const blocks = section.matchAll(/^```sh\n([^]*?)^```\n(?:\n```text\n([^]*?)^```$)?/gm);
  return [...blocks].map(([, commands = '', printed = '']) => ({
    commands: withFreePorts(commands),
    printed: withFreePorts(printed),
  }));
}

function patternOf(printed: string): RegExp {
  const parts = printed.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

function withFreePorts(text: string): string {
  return PORTS.reduce((all, port) => all.replaceAll(port, ports.get(port) ?? port), text);
}

/** They are all taken at once, so that no two are the same. */
async function freePorts(): Promise<ReadonlyMap<string, string>> {
  const probes = PORTS.map((port) => ({ port, probe: createServer().listen(0, '127.0.0.1') }));
  await Promise.all(probes.map(({ probe }) => once(probe, 'listening')));
  const found = probes.map(({ port, probe }) => {
    return [port, String((probe.address() as AddressInfo).port)] as const;
  });
  await Promise.all(probes.map(({ probe }) => once(probe.close(), 'close')));
  return new Map(found);
}

/** A terminal of the reader, in the clone. */
class Shell {
  readonly #child: ChildProcess;
  #said = '';
  #onOutput: () => void = () => {};

  constructor() {
    this.#child = spawn('bash', ['--norc'], {
      cwd: clone,
      // A token of the reader's own stays where it is.
      env: { PATH: process.env['PATH'], HOME: clone, XDG_CONFIG_HOME: clone },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own, which ends with all that was started in it.
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#said += text.replaceAll('\r', '');
        this.#onOutput();
      });
    }
    shells.push(this);
  }

  /** Resolves with what the commands print, once the end of it is there. */
  run(commands: string, end: RegExp | string): Promise<string> {
    this.#said = '';
    this.#child.stdin?.write(`exec 2>&1\n${commands}\n`);
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => {
        reject(new Error(`It does not end:\n${commands}\n${this.#said}`));
      }, PATIENCE_MS);
      this.#onOutput = () => {
        const isThere = typeof end === 'string' ? this.#said.includes(end) : end.test(this.#said);
        if (!isThere) return;
        clearTimeout(patience);
        resolve(this.#said);
      };
    });
  }

  async end(): Promise<void> {
    const ended = once(this.#child, 'close');
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGTERM');
    await ended;
  }
}
