import { defineConfig } from 'vitest/config'

const project = (name: string, include: string[], timeoutMs: number, extra = {}) => ({
  test: { name, include, testTimeout: timeoutMs, hookTimeout: timeoutMs, ...extra },
})

export default defineConfig({
  test: {
    projects: [
      project(
        'unit',
        [
          'libs/**/*.test.ts',
          'services/**/*.test.ts',
          'apps/**/*.test.ts',
          'deploy/**/*.test.ts',
          'tools/**/*.test.ts',
          'docs/guides/*.test.ts',
          'lab/**/*.test.ts',
        ],
        30_000,
      ),
      project('integration', ['test/integration/**/*.test.ts'], 180_000, {
        fileParallelism: false,
        globalSetup: ['test/integration/global-setup.ts'],
      }),
      project('scenarios', ['test/scenarios/**/*.test.ts'], 600_000, { fileParallelism: false }),
    ],
  },
})
