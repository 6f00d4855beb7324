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
  },
});
