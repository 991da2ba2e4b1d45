import { defineConfig } from 'vitest/config'

/** Unit tests run the sources; everything that starts processes runs the build in dist/, as a user's machine does. */
const sources = { resolve: { conditions: ['source'] }, ssr: { resolve: { conditions: ['source'] } } }

/** What is waited for comes: how soon depends on the machine, which may be busy with something else. */
const patience = { expect: { poll: { timeout: 30_000 } } }

export default defineConfig({
  test: {
    projects: [
      {
        ...sources,
        test: {
          ...patience,
          name: 'unit',
          globalSetup: ['test/harness/temporary-folder.ts'],
          include: [
            'libs/**/*.test.ts',
            'services/**/*.test.ts',
            'test/{tidy,sim,chaos,conformance,bench,workloads}/**/*.test.ts',
          ],
          pool: 'forks',
          // Nothing waits for time: this is for machines that are busy with something else.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          ...patience,
          name: 'integration',
          globalSetup: ['test/harness/temporary-folder.ts'],
          include: ['test/{integration,e2e,polyglot,deploy}/**/*.test.ts'],
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...patience,
          name: 'slurm',
          include: ['test/slurm/**/*.test.ts'],
          // Installs SLURM where it may; says loudly when these tests are left out.
          globalSetup: ['test/slurm/setup.ts'],
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 240_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
