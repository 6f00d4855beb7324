/**
 * The engine, loaded when the first policy is read and never before. It is WebAssembly that its
 * package instantiates at once, so it can be had without waiting.
 */
import { createRequire } from 'node:module';
import type * as CedarModule from '@cedar-policy/cedar-wasm/nodejs';

export type Cedar = typeof CedarModule;

let loaded: Cedar | undefined;

export function loadCedar(): Cedar {
  loaded ??= createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs') as Cedar;
  return loaded;
}
