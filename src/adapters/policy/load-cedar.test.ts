import { spawnSync } from 'node:child_process';
import { describe, expect, it, vi } from 'vitest';
import { loadCedar } from './load-cedar.ts';

const setFlagsFromString = vi.hoisted(() => vi.fn());
vi.mock('node:v8', () => ({ setFlagsFromString }));

/**
 * Calls a function of WebAssembly that returns an object, as the engine's do, from a function that
 * is optimised, and gives that one up meanwhile.
 */
const GIVEN_UP = `
const { setFlagsFromString } = require('node:v8');
for (const flag of JSON.parse(process.env.FLAGS)) setFlagsFromString(flag);
const section = (id, bytes) => [id, bytes.length, ...bytes];
const [externref, func, m, g, f] = [0x6f, 0x60, 0x6d, 0x67, 0x66];
const module = new WebAssembly.Module(new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  ...section(1, [2, func, 0, 0, func, 1, externref, 1, externref]),
  ...section(2, [1, 1, m, 1, g, 0, 0]),
  ...section(3, [1, 1]),
  ...section(7, [1, 1, f, 0, 1]),
  ...section(10, [1, 6, 0, 0x10, 0, 0x20, 0, 0x0b]),
]));
let isOver = false;
const given = { m: { g: () => isOver && %DeoptimizeFunction(call) } };
const { f: called } = new WebAssembly.Instance(module, given).exports;
function call(value) {
  return called(value);
}
%PrepareFunctionForOptimization(call);
call(1);
%OptimizeFunctionOnNextCall(call);
call(2);
isOver = true;
console.log(call('answered'));
`;

describe('the engine', () => {
  it('is called in a way that ends no process, whatever V8 does to its code meanwhile', () => {
    expect(typeof loadCedar().statefulIsAuthorized).toBe('function');
    const flags: unknown[] = setFlagsFromString.mock.calls.flat();
    const { status, stdout } = spawnSync(
      process.execPath,
      ['--allow-natives-syntax', '-e', GIVEN_UP],
      { encoding: 'utf8', env: { ...process.env, FLAGS: JSON.stringify(flags) } },
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'answered\n' });
  });
});
