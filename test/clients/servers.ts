/** The servers other people's clients are put in front of. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inProcess, stdio, type Upstream } from 'tidegate';
import { busyV1, busyV2 } from './busy-servers.ts';

const FIXTURES = new URL('../fixtures/servers/', import.meta.url);
const require = createRequire(import.meta.url);

export type ServerName =
  | 'server-everything'
  | 'v1'
  | 'v1 as a child'
  | 'v2'
  | 'v2 as a child'
  | 'v2 without the handshake';

export const SERVERS: Readonly<Record<ServerName, () => Upstream>> = {
  'server-everything': () => stdio(process.execPath, [serverEverything(), 'stdio']),
  v1: () => inProcess(busyV1),
  'v1 as a child': () => fixture('everything-v1-stdio.mjs'),
  v2: () => inProcess(busyV2),
  'v2 as a child': () => fixture('everything-v2-stdio.mjs'),
  'v2 without the handshake': () => fixture('everything-v2-modern-only-stdio.mjs'),
};

function fixture(file: string): Upstream {
  return stdio(process.execPath, [fileURLToPath(new URL(file, FIXTURES))]);
}

function serverEverything(): string {
  const manifest = require.resolve('@modelcontextprotocol/server-everything/package.json');
  return join(dirname(manifest), 'dist', 'index.js');
}
