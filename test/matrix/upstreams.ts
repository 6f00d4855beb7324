/** Every kind of server there may be behind the gate, and how its connection breaks. */
import type { McpServer } from '@modelcontextprotocol/server';
import { fileURLToPath } from 'node:url';
import { inProcess, remote, stdio, type Upstream } from 'tidegate';
import { matrixV1 } from '../fixtures/matrix/server-v1.mjs';
import { matrixV2, matrixV2InRounds } from '../fixtures/matrix/server-v2.mjs';
import { Fates } from '../fixtures/matrix/shared.mjs';
import { serveHttpV1 } from '../fixtures/servers/http-v1.mjs';
import { serveHttpV2 } from '../fixtures/servers/http-v2.mjs';

export interface Behind {
  readonly upstream: Upstream;
  /** Breaks every connection to the server, where there is one of the network. */
  readonly cut?: () => void;
  /** Says that the list of tools, or a resource, changed: where no tool of the server can. */
  readonly announce?: { readonly tools: () => void; readonly resource: (uri: string) => void };
  close(): Promise<void>;
}

export const UPSTREAMS = {
  'a command, handshake only': (folder) => child('child-v1.mjs', folder),
  'a command, 2026 only': (folder) => child('child-v2.mjs', folder),
  'a URL of 2024': (folder) => httpV1('/sse', folder),
  'a URL of 2025': (folder) => httpV1('/mcp', folder),
  'a URL of 2026': httpV2,
  'a module of SDK 1.x': (folder) => inside(inProcess(() => matrixV1(new Fates(folder)))),
  'a module of SDK 2.x': (folder) => inside(inProcess(() => matrixV2(new Fates(folder)))),
} as const satisfies Readonly<Record<string, (folder: string) => Promise<Behind>>>;

export type UpstreamName = keyof typeof UPSTREAMS;

const FIXTURES = new URL('../fixtures/matrix/', import.meta.url);

async function child(file: string, folder: string): Promise<Behind> {
  return inside(stdio(process.execPath, [fileURLToPath(new URL(file, FIXTURES)), folder]));
}

/** The endpoint ends what it was given. */
async function inside(upstream: Upstream): Promise<Behind> {
  return { upstream, close: async () => {} };
}

async function httpV1(path: string, folder: string): Promise<Behind> {
  const server = await serveHttpV1({ build: () => matrixV1(new Fates(folder)) });
  return {
    upstream: remote(`${server.origin}${path}`),
    cut: () => server.cut(),
    close: () => server.close(),
  };
}

async function httpV2(folder: string): Promise<Behind> {
  const build = (): McpServer => matrixV2InRounds(new Fates(folder));
  const server = await serveHttpV2({ build, legacy: 'reject' });
  const announce = {
    tools: () => server.toolsChanged(),
    resource: (uri: string) => server.resourceUpdated(uri),
  };
  return {
    upstream: remote(`${server.origin}/mcp`),
    cut: () => server.cut(),
    announce,
    close: () => server.close(),
  };
}
