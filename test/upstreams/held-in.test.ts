/** How children are held in: their folder, what they may use, and what stands before them. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findProgram } from '../../src/adapters/upstreams/stdio/find-program.ts';
import { type StdioOptions, stdio } from '../../src/adapters/upstreams/stdio/stdio.ts';
import type { Principal, Upstream } from '../../src/core/ports.ts';
import { childrenOf, survivors } from './processes.ts';
import { Recorder, Sight } from './recorder.ts';

const QUICK = { stdinMs: 150, termMs: 150 };
const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/children/${name}.mjs`, import.meta.url));
const WRAPPER = [process.execPath, fixture('wrapper')];
const isLinux = process.platform === 'linux';

let folder = '';
let childrenBefore: number[] = [];
const upstreams: Upstream[] = [];

beforeEach(() => {
  childrenBefore = childrenOf(process.pid);
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'tidegate-held-in-')));
});

afterEach(async () => {
  await Promise.all(upstreams.splice(0).map((upstream) => upstream.close()));
  rmSync(folder, { recursive: true });
  const left = childrenOf(process.pid).filter((pid) => !childrenBefore.includes(pid));
  expect(left).toEqual([]);
});

function server(name: string, args: readonly string[], options: StdioOptions): Upstream {
  const words = [fixture(name), ...args];
  const upstream = stdio(process.execPath, words, { stopMs: QUICK, ...options });
  upstreams.push(upstream);
  return upstream;
}

function principal(tenant: string, subject: string, issuer = 'https://login.test'): Principal {
  const key = [tenant, issuer, subject].map((part) => `${part.length}:${part}`).join('');
  return { tenant, issuer, subject, clientId: '', key };
}

async function said(events: Recorder, method: string): Promise<Readonly<Record<string, unknown>>> {
  const found = (): unknown => events.messages().find((each) => each.method === method)?.value;
  await events.until(() => found() !== undefined, method);
  return found() as Readonly<Record<string, unknown>>;
}

async function folderOf(upstream: Upstream, caller?: Principal, tenant?: string): Promise<string> {
  const events = new Recorder();
  upstream.connect('legacy', events, caller, tenant);
  return String((await said(events, 'given'))['cwd']);
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('a working folder', () => {
  it('V10 is one for each principal of each tenant, and made for our eyes alone', async () => {
    const workdir = join(folder, 'data');
    const upstream = server('environment', [], { workdir });
    const ann = principal('acme', 'ann');
    const first = await folderOf(upstream, ann, 'acme');
    const again = await folderOf(upstream, ann, 'acme');
    const others = [
      await folderOf(upstream, principal('acme', 'bob'), 'acme'),
      await folderOf(upstream, principal('globex', 'ann'), 'globex'),
      await folderOf(upstream, principal('acme', 'ann', 'https://other.test'), 'acme'),
    ];
    expect(again).toBe(first);
    expect(new Set([first, ...others]).size).toBe(4);
    expect(first.startsWith(join(workdir, 'acme/'))).toBe(true);
    for (const path of [workdir, join(workdir, 'acme'), first, ...others]) {
      expect([path, modeOf(path)]).toEqual([path, 0o700]);
    }
  });

  it('V10 is one for each tenant where a tenant shares a child, and nobody’s for a child of nobody', async () => {
    const upstream = server('environment', [], { workdir: folder });
    expect(await folderOf(upstream, undefined, 'acme')).toBe(join(folder, 'acme'));
    expect(await folderOf(upstream)).toBe(join(folder, '_nobody'));
  });

  const ODD = ['', '.', '..', '../acme', '/etc', 'ACME', 'a/b', 'a\\b', 'nul', 'é', 'x'.repeat(65)];

  it.each([...ODD, 'x'.repeat(300)])(
    'V10 of a tenant named %j lies below the others’, and is no other’s',
    async (tenant) => {
      const upstream = server('environment', [], { workdir: folder });
      const found = await folderOf(upstream, undefined, tenant);
      expect(found).toMatch(/\/_[0-9a-f]{32}$/);
      expect(found.startsWith(`${folder}/`)).toBe(true);
      expect(readdirSync(folder)).toHaveLength(1);
    },
  );

  it.each(['..', '../../globex', '/etc', 'a/b', ''])(
    'V10 of a person named %j lies below the tenant’s',
    async (subject) => {
      const upstream = server('environment', [], { workdir: folder });
      const found = await folderOf(upstream, principal('acme', subject), 'acme');
      expect(found.slice(0, folder.length)).toBe(folder);
      expect(found.slice(folder.length)).toMatch(/^\/acme\/[0-9a-f]{32}$/);
    },
  );

  it('V10 of a tenant that is named as we name others’ is not theirs', async () => {
    const upstream = server('environment', [], { workdir: folder });
    const made = await folderOf(upstream, undefined, '../acme');
    const name = made.slice(made.lastIndexOf('/') + 1);
    expect(await folderOf(upstream, undefined, name)).not.toBe(made);
    expect(await folderOf(upstream, undefined, '_nobody')).not.toBe(join(folder, '_nobody'));
  });

  it('V10 that others could read is closed to them', async () => {
    mkdirSync(join(folder, 'acme'), { mode: 0o755 });
    const upstream = server('environment', [], { workdir: folder });
    expect(modeOf(await folderOf(upstream, undefined, 'acme'))).toBe(0o700);
  });

  it.each([
    ['is a link', () => symlinkSync(tmpdir(), join(folder, 'acme')), /acme is no folder/],
    ['is a file', () => writeFileSync(join(folder, 'acme'), ''), /acme is no folder/],
    ['lies where others may write', () => chmodSync(folder, 0o777), /others may write/],
  ])('V10 that %s starts no child', async (_, prepare, reason) => {
    prepare();
    const upstream = server('environment', [], { workdir: folder });
    const events = new Recorder();
    upstream.connect('legacy', events, undefined, 'acme');
    const { cause, detail } = await events.closed();
    expect([cause, detail]).toEqual(['start-failed', expect.stringMatching(reason)]);
    expect(events.messages()).toEqual([]);
  });
});

describe.runIf(isLinux)('what a child may use', () => {
  async function limitsUnder(options: StdioOptions): Promise<Readonly<Record<string, unknown>>> {
    const events = new Recorder();
    server('hungry', ['limits'], options).connect('legacy', events);
    return said(events, 'took');
  }

  it('is what was said, for each process, and never a core dump', async () => {
    const resources = { memoryMb: 300, processes: 4000, files: 64, cpuSeconds: 60 };
    expect(await limitsUnder({ resources })).toMatchObject({
      'Max data size': String(300 * 1024 * 1024),
      'Max processes': '4000',
      'Max open files': '64',
      'Max cpu time': '60',
      'Max core file size': '0',
    });
  });

  it('is what we may use where nothing was said', async () => {
    const ours = readFileSync('/proc/self/limits', 'latin1');
    const [, files] = /^Max open files +(\S+)/m.exec(ours) ?? [];
    // The runtime raises its own soft limit to the hard one.
    const theirs = await limitsUnder({ resources: { cpuSeconds: 60 } });
    expect(theirs['Max data size']).toBe('unlimited');
    expect(Number(theirs['Max open files'])).toBeGreaterThanOrEqual(Number(files));
  });

  it('ends at so many files', async () => {
    const events = new Recorder();
    server('hungry', ['files'], { resources: { files: 64 } }).connect('legacy', events);
    const { code, count } = await said(events, 'took');
    expect(code).toBe('EMFILE');
    expect(count).toBeLessThan(64);
  });

  it('ends at so much memory', async () => {
    const events = new Recorder();
    server('hungry', ['memory'], { resources: { memoryMb: 400 } }).connect('legacy', events);
    const outcome = await Promise.race([said(events, 'took'), events.closed()]);
    // A runtime without memory gives up in one of two ways; it does not get 1 GB.
    if ('count' in outcome) expect(Number(outcome['count']) * 16).toBeLessThan(400);
    else expect(outcome).toMatchObject({ cause: 'exited' });
  });

  it('ends at so much time', async () => {
    const events = new Recorder();
    server('hungry', ['cpu'], { resources: { cpuSeconds: 1 } }).connect('legacy', events);
    const { cause, detail } = await events.closed();
    expect([cause, detail]).toEqual(['exited', expect.stringMatching(/SIGKILL|SIGXCPU/)]);
  });

  it('holds for the command that it begins with, by the same process id', async () => {
    const sight = new Sight();
    const resources = { files: 256 };
    const events = new Recorder();
    server('stubborn', ['1'], { resources, telemetry: sight }).connect('legacy', events);
    const pids = await events.pids();
    const ours = childrenOf(process.pid).filter((pid) => pids.includes(pid));
    expect(ours).toEqual([pids[0]]);
    for (const pid of pids) {
      const limits = readFileSync(`/proc/${pid}/limits`, 'latin1');
      expect(limits).toMatch(/^Max core file size +0 /m);
    }
    await upstreams[0]?.close();
    expect(await survivors(pids, 5000)).toEqual([]);
  });

  it('leaves a command that is not there a failed start', async () => {
    const upstream = stdio('there-is-no-such-program', [], { resources: { files: 64 } });
    upstreams.push(upstream);
    const events = new Recorder();
    upstream.connect('legacy', events);
    const reason = 'ENOENT: there is no command there-is-no-such-program';
    expect(await events.closed()).toMatchObject({ cause: 'start-failed', detail: reason });
  });

  it.each([0, -1, 1.5, NaN, Infinity])('is never %d of anything', (files) => {
    expect(() => stdio('node', [], { resources: { files } })).toThrow(TypeError);
  });
});

describe('a sandbox', () => {
  it('V15 stands before the command without a shell, its words as they are and the folder in them', async () => {
    const words = ['--bind', '{workdir}', '/work', '$(touch x); `y`', '{workdir}/{workdir}'];
    const sandbox = [...WRAPPER, ...words, '--'];
    const events = new Recorder();
    const upstream = server('environment', ['a b', '{workdir}'], { workdir: folder, sandbox });
    upstream.connect('legacy', events, undefined, 'acme');
    const here = join(folder, 'acme');
    const put = ['--bind', here, '/work', '$(touch x); `y`', `${here}/${here}`];
    expect(await said(events, 'wrapped')).toEqual({ words: put });
    const given = await said(events, 'given');
    expect([given['cwd'], given['args']]).toEqual([here, ['a b', '{workdir}']]);
  });

  it('V50 goes with everything inside it, whatever that ignores', async () => {
    const events = new Recorder();
    const upstream = server('stubborn', ['2', 'stray'], { sandbox: [...WRAPPER, '--'] });
    const connection = upstream.connect('legacy', events);
    const pids = await events.pids();
    expect(pids).toHaveLength(3);
    connection.close();
    await events.closed();
    expect(await survivors(pids, 15_000)).toEqual([]);
  });

  it.runIf(isLinux)('is held to the limits, too', async () => {
    const events = new Recorder();
    const options = { sandbox: [...WRAPPER, '--'], resources: { files: 128 } };
    server('hungry', ['files'], options).connect('legacy', events);
    expect(await said(events, 'took')).toMatchObject({ code: 'EMFILE' });
  });

  const bubblewrap = findProgram('bwrap', process.env['PATH']);
  const works = bubblewrap !== undefined && shutsIn(bubblewrap);
  const why = bubblewrap === undefined ? 'it is not installed' : 'this machine does not let it';
  const skipped = works ? '' : ` (skipped: ${why})`;

  async function seenWithin(sandbox: readonly string[], workdir: string): Promise<unknown> {
    const events = new Recorder();
    const script =
      'const list = (at) => { try { return fs.readdirSync(at); } catch { return []; } };' +
      'console.log(JSON.stringify({jsonrpc:"2.0",method:"seen",params:{' +
      `folder: list(${JSON.stringify(workdir)}), root: list("/root"), home: list("/home"),` +
      'processes: list("/proc").filter((name) => /^[0-9]+$/.test(name)).length}}))';
    const upstream = stdio(process.execPath, ['-e', script], { workdir, sandbox });
    upstreams.push(upstream);
    upstream.connect('legacy', events, undefined, 'acme');
    return said(events, 'seen');
  }

  it.runIf(works)(`of bubblewrap shows the folder, and no other tenant’s${skipped}`, async () => {
    mkdirSync(join(folder, 'globex'));
    const binds = ['--ro-bind', '/', '/', '--tmpfs', folder, '--bind', '{workdir}', '{workdir}'];
    const rest = ['--dev', '/dev', '--proc', '/proc', '--unshare-pid', '--die-with-parent'];
    const sandbox = ['bwrap', ...binds, ...rest, '--chdir', '{workdir}', '--'];
    expect(await seenWithin(sandbox, folder)).toMatchObject({ folder: ['acme'] });
  });

  it.runIf(works)(`of the guide shows its own folder and nothing else${skipped}`, async () => {
    mkdirSync(join(folder, 'globex'));
    const page = readFileSync(new URL('../../docs/guides/children.md', import.meta.url), 'utf8');
    const blocks = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, text = '']) => text);
    const block = blocks.find((text) => text.includes('- bwrap')) ?? '';
    const config = parse(block) as { servers: { files: { sandbox: string[] } } };
    const words = config.servers.files.sandbox;
    // Only the system's programs are seen, and this Node may be somebody's own.
    const node = ['--ro-bind', process.execPath, process.execPath, '--'];
    const seen = await seenWithin([...words.slice(0, -1), ...node], folder);
    // bubblewrap itself is the first process inside.
    expect(seen).toEqual({ folder: ['acme'], root: [], home: [], processes: 2 });
  });
});

/** Whether bubblewrap may do here what the tests ask of it: some systems keep namespaces from it. */
function shutsIn(bubblewrap: string): boolean {
  const words = ['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--unshare-pid'];
  return spawnSync(bubblewrap, [...words, '--unshare-ipc', '--', 'true']).status === 0;
}
