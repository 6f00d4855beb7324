import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['tidegate-source'] },
  ssr: { resolve: { conditions: ['tidegate-source'] } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // They need Python and Go: `npm run test:interop`.
    exclude: ['node_modules/**', 'test/interop/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Many tests wait for time-outs and children: on a machine of two cores one at a time idles.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
