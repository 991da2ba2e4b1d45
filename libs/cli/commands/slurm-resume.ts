import type { Command } from 'commander'

import { steerPool } from '../pool-steering.js'
import type { Terminal } from '../terminal.js'

interface Options {
  readonly mesh?: string
}

/** `costate slurm resume`: submits for a pool again. */
export function addSlurmResume(group: Command, terminal: Terminal): void {
  group
    .command('resume')
    .description('submit for a pool again, whoever paused it')
    .argument('<pool>', 'the pool')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .action(async (pool: string, { mesh }: Options, command: Command) => {
      await steerPool({ terminal, command, mesh }, (provisioner, call) => provisioner.resumePool({ pool }, call))
    })
}
