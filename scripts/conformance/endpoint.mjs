/** Starts and stops the process that holds the endpoint under test. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('serve-endpoint.mjs', import.meta.url));
const START_MS = 15_000;
const STOP_MS = 30_000;

/**
 * @param {string} configuration - its name
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function startEndpoint(configuration) {
  const child = spawn(process.execPath, [SCRIPT, configuration], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const url = await Promise.race([
    once(lines, 'line').then(([line]) => line),
    exited.then(([code]) => Promise.reject(new Error(`${configuration}: exited with ${code}.`))),
    failAfter(START_MS, `${configuration}: printed no URL`),
  ]).catch((error) => {
    child.kill('SIGKILL');
    throw error;
  });
  return { url, stop: () => stop(child, exited, configuration) };
}

async function stop(child, exited, configuration) {
  child.stdin.end();
  try {
    await Promise.race([exited, failAfter(STOP_MS, `${configuration}: did not end`)]);
  } finally {
    child.kill('SIGKILL');
  }
}

function failAfter(ms, what) {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`${what} within ${ms / 1000} s.`)), ms).unref();
  });
}
