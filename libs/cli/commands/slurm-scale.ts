import { type Command, InvalidArgumentError } from 'commander'

import { steerPool } from '../pool-steering.js'
import type { Terminal } from '../terminal.js'

interface Options {
  readonly mesh?: string
}

/** `costate slurm scale`: holds a pool at a number of workers, or lets it follow the demand again. */
export function addSlurmScale(group: Command, terminal: Terminal): void {
  group
    .command('scale')
    .description('hold a pool at a number of workers, or let it follow the demand again')
    .argument('<pool>', 'the pool')
    .argument('<workers>', 'so many workers, or auto', parseWorkers)
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .action(async (pool: string, workers: number | 'auto', { mesh }: Options, command: Command) => {
      const request = { pool, workers: workers === 'auto' ? undefined : workers }
      await steerPool({ terminal, command, mesh }, (provisioner, call) => provisioner.scalePool(request, call))
    })
}

function parseWorkers(text: string): number | 'auto' {
  if (text === 'auto') return 'auto'
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Give a whole number, or auto.')
}
