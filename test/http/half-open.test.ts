/** A peer that vanished without a word is found, with nothing being written to it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ensureBuilt } from '../../scripts/bootstrap.mjs';
import { ROOT } from '../source-files.ts';
import { Folder } from './certificates.ts';

const RUN = join(ROOT, 'test/fixtures/half-open/run.sh');

/** Whether this user may make network namespaces and cables between them. */
function canMakeNetworks(): boolean {
  const trial = 'ip link add name near type veth peer name far && nsenter --version';
  const made = spawnSync('unshare', ['--map-root-user', '--net', 'sh', '-c', trial]);
  return made.status === 0;
}

it('V50 finds a peer that is gone by probes of TCP', { timeout: 60_000 }, async ({ skip }) => {
  if (!canMakeNetworks()) skip('this user may not make network namespaces here');
  await ensureBuilt();
  const folder = new Folder();
  const output = join(folder.path, 'output');
  const args = ['--map-root-user', '--net', 'sh', RUN, process.execPath, '1000', output];
  const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  let cutAt = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (cutAt === 0 && said.includes('cut')) cutAt = performance.now();
  });
  const timer = setTimeout(() => child.kill('SIGTERM'), 45_000);
  await once(child, 'close');
  clearTimeout(timer);
  folder.remove();
  expect(said).toBe('cut\nfound\n');
  // A second of silence, and ten probes a second apart.
  expect(performance.now() - cutAt).toBeLessThan(30_000);
});
