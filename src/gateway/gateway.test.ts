import type * as fs from 'node:fs';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { keysCommand } from '../cli/keys-command.ts';
import { createGateway } from './create-gateway.ts';

const watched = vi.hoisted(() => new Set<unknown>());

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  return {
    ...real,
    watchFile: (path: unknown) => void watched.add(path),
    unwatchFile: (path: unknown) => void watched.delete(path),
  };
});

it('a gateway that cannot be made leaves nothing that goes on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-gateway-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'keys.json');
  const key = { tenant: 'acme', subject: 'ann', scopes: [], groups: [], lifeMs: undefined };
  keysCommand({ action: 'add', file: path, isJson: true, ...key }, Date.now());
  const file = join(folder, 'audit.jsonl');
  const config = {
    listen: { host: '127.0.0.1', port: 0, drainMs: 100 },
    auth: { kind: 'keys', path },
    servers: [],
    audit: { file, isRequired: true, rotateBytes: 1_000_000 },
  } as unknown as Parameters<typeof createGateway>[0];
  mkdirSync(file);
  expect(() => createGateway(config)).toThrow('EISDIR');
  expect([...watched]).toEqual([]);
  rmSync(file, { recursive: true });
  const gateway = createGateway(config);
  expect([...watched]).toEqual([path]);
  await gateway.drain(0);
  expect([...watched]).toEqual([]);
});

it('a gateway knows no way in that it has no name for', () => {
  const config = {
    listen: { host: '127.0.0.1', port: 0, drainMs: 100 },
    auth: { kind: 'nothing' },
    servers: [],
  } as unknown as Parameters<typeof createGateway>[0];
  expect(() => createGateway(config)).toThrow('config.auth.kind must be one of kept, token, ');
});
