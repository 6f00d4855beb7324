/**
 * What the suite is run against: a name, and how to build the upstream. Each is served in a process
 * of its own by the Node that runs this script.
 */
import { fileURLToPath } from 'node:url';

const SERVERS = new URL('../../test/fixtures/servers/', import.meta.url);

export const CONFIGURATIONS = [
  {
    name: 'in-process v2',
    upstream: async ({ inProcess }) => {
      const { everythingV2 } = await import(new URL('everything-v2.mjs', SERVERS).href);
      return inProcess(everythingV2);
    },
  },
  {
    name: 'in-process v1',
    upstream: async ({ inProcess }) => {
      const { everythingV1 } = await import(new URL('everything-v1.mjs', SERVERS).href);
      return inProcess(everythingV1);
    },
  },
  {
    name: 'stdio legacy-only child',
    upstream: ({ stdio }) =>
      stdio(process.execPath, [fileURLToPath(new URL('everything-v1-stdio.mjs', SERVERS))]),
  },
  {
    name: 'stdio dual-era child',
    upstream: ({ stdio }) =>
      stdio(process.execPath, [fileURLToPath(new URL('everything-v2-stdio.mjs', SERVERS))]),
  },
  {
    name: 'stdio modern-only child',
    upstream: ({ stdio }) =>
      stdio(process.execPath, [
        fileURLToPath(new URL('everything-v2-modern-only-stdio.mjs', SERVERS)),
      ]),
  },
  {
    name: 'http upstream 2025',
    upstream: async ({ remote }) => {
      const { serveHttpV1 } = await import(new URL('http-v1.mjs', SERVERS).href);
      const { origin } = await serveHttpV1();
      return remote(`${origin}/mcp`);
    },
  },
  {
    name: 'http upstream 2024',
    upstream: async ({ remote }) => {
      const { serveHttpV1 } = await import(new URL('http-v1.mjs', SERVERS).href);
      const { origin } = await serveHttpV1();
      return remote(`${origin}/sse`);
    },
  },
  {
    name: 'http upstream 2026',
    upstream: async ({ remote }) => {
      const { serveHttpV2 } = await import(new URL('http-v2.mjs', SERVERS).href);
      const { everythingV2InRounds } = await import(new URL('everything-v2.mjs', SERVERS).href);
      const { origin } = await serveHttpV2({ build: everythingV2InRounds, legacy: 'reject' });
      return remote(`${origin}/mcp`);
    },
  },
];
