/** Runs Node programs with this Node, without a shell and without npx. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './bootstrap.mjs';

/**
 * Resolves with the exit code; output goes where ours goes, and signals are passed on.
 * @param {string} script - a path, absolute or from the folder of package.json.
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export function runNode(script, args = []) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', forward).on('SIGTERM', forward);
    child.on('error', reject);
    child.on('exit', (code) => {
      process.off('SIGINT', forward).off('SIGTERM', forward);
      resolve(code ?? 1);
    });
  });
}

/** Runs a command of an installed package: the one named like the package unless another is named. */
export function runPackageBin(name, args, command = name) {
  const folder = join(root, 'node_modules', name);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return runNode(join(folder, typeof bin === 'string' ? bin : bin[command]), args);
}
