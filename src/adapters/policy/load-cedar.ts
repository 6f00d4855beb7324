/**
 * The engine, loaded when the first policy is read and never before. It is WebAssembly that its
 * package instantiates at once, so it can be had without waiting.
 */
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import type * as CedarModule from '@cedar-policy/cedar-wasm/nodejs';

export type Cedar = typeof CedarModule;

/**
 * V8 of Node 20 and 22 ends the process with `unreachable code` when a function in which it has
 * built in a call of WebAssembly that returns an object, as those of the engine do, is given up as
 * optimised while the call goes on. A client that asked for many verdicts got there within seconds.
 * Built in or not, such a call takes next to nothing beside a verdict.
 */
const SAFE_CALLS = '--no-turbo-inline-js-wasm-calls';

let loaded: Cedar | undefined;

export function loadCedar(): Cedar {
  loaded ??= load();
  return loaded;
}

function load(): Cedar {
  setFlagsFromString(SAFE_CALLS);
  return createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs') as Cedar;
}
