import type { Command } from 'commander'

import { CliError, exitCodes } from '../cli-error.js'
import { answerTimeoutMs, askProvisioner } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { allocationRowOf, poolRowOf } from '../pool-table.js'
import { report } from '../report.js'
import type { Terminal } from '../terminal.js'

interface Options {
  readonly mesh?: string
}

/** `costate slurm explain`: why a pool has the workers that it has, or what became of a job. */
export function addSlurmExplain(group: Command, terminal: Terminal): void {
  group
    .command('explain')
    .description('say why a pool has the workers that it has, or what became of a job, in words')
    .argument('<what>', "a pool, SLURM's id of a job, or an allocation")
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .action(async (what: string, options: Options, command: Command) => {
      const mesh = await chooseMesh(options.mesh)
      const call = { deadline: answerTimeoutMs }
      const found = await askProvisioner(mesh, async (provisioner) => {
        const { pools } = await provisioner.listPools({ pageSize: 1_000 }, call)
        const pool = pools.find(({ name }) => name === what)
        if (pool) return poolRowOf(pool)
        const { allocations } = await provisioner.listAllocations({ pageSize: 1_000 }, call)
        const allocation = allocations.find(({ jobId, allocationId }) => jobId === what || allocationId === what)
        if (allocation) return allocationRowOf(allocation)
        const known = pools.map(({ name }) => name).join(', ')
        const message = `there is no pool and no SLURM job '${what}' in mesh '${mesh}'; its pools are ${known}`
        throw new CliError(exitCodes.notFound, 'POOL_NOT_FOUND', message)
      })
      report(terminal, command, found, ({ explanation }) => explanation)
    })
}
