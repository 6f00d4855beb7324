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
];
