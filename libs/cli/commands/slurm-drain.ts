import type { Command } from 'commander'

import { steerPool } from '../pool-steering.js'
import type { Terminal } from '../terminal.js'

interface Options {
  readonly mesh?: string
}

/** `costate slurm drain`: lets the workers of a pool, or of some of its jobs, finish what they run and leave. */
export function addSlurmDrain(group: Command, terminal: Terminal): void {
  group
    .command('drain')
    .description(
      'let workers finish what they run and leave: all of a pool, which then wants none, or those of some jobs',
    )
    .argument('<pool>', 'the pool')
    .argument('[allocations...]', 'only these allocations; they are replaced if there is work for them')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .action(async (pool: string, allocationIds: string[], { mesh }: Options, command: Command) => {
      await steerPool({ terminal, command, mesh }, (provisioner, call) =>
        provisioner.drainPool({ pool, allocationIds }, call),
      )
    })
}
