import type { Command } from 'commander'

import { steerPool } from '../pool-steering.js'
import type { Terminal } from '../terminal.js'

interface Options {
  readonly mesh?: string
  readonly reason: string
}

/** `costate slurm pause`: submits nothing more for a pool. */
export function addSlurmPause(group: Command, terminal: Terminal): void {
  group
    .command('pause')
    .description('submit nothing more for a pool until it is resumed; what is there stays')
    .argument('<pool>', 'the pool')
    .option('--reason <text>', 'why, for people', '')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .action(async (pool: string, { mesh, reason }: Options, command: Command) => {
      await steerPool({ terminal, command, mesh }, (provisioner, call) => provisioner.pausePool({ pool, reason }, call))
    })
}
