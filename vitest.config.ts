import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['tidegate-source'] },
  ssr: { resolve: { conditions: ['tidegate-source'] } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
  },
});
