import type { TestProject } from 'vitest/node'

import { installSlurm } from '../harness/slurm/packages.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Why there is no SLURM to test with; empty when there is one. */
    slurmMissing: string
  }
}

/** Runs once, before the tests against a real SLURM. */
export async function setup(project: TestProject): Promise<void> {
  const missing = await installSlurm()
  project.provide('slurmMissing', missing ?? '')
  if (missing === undefined) return
  const line = '!'.repeat(110)
  process.stderr.write(`\n${line}\nTESTS AGAINST A REAL SLURM ARE LEFT OUT: ${missing}\n${line}\n\n`)
  if (process.env['COSTATE_TEST_SLURM'] === 'required') throw new Error(`a real SLURM is required: ${missing}`)
}
