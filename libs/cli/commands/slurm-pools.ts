import type { Command } from 'commander'

import { answerTimeoutMs, askProvisioner } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { poolColumns, poolRowOf } from '../pool-table.js'
import { report } from '../report.js'
import { renderTable } from '../table.js'
import type { Terminal } from '../terminal.js'

/** `costate slurm pools`: how the pools are. */
export function addSlurmPools(group: Command, terminal: Terminal): void {
  group
    .command('pools')
    .description('list the pools with what is wanted, what is there, and why it is not more')
    .argument('[mesh]', "the mesh, or its scheduler's address; the one that runs unless given")
    .action(async (named: string | undefined, _options: object, command: Command) => {
      const mesh = await chooseMesh(named)
      const found = await askProvisioner(mesh, (provisioner) =>
        provisioner.listPools({ pageSize: 1_000 }, { deadline: answerTimeoutMs }),
      )
      const { poolsFileProblem, queueProblem, excludedNodes } = found
      report(terminal, command, found.pools.map(poolRowOf), (pools) => renderTable(poolColumns, pools, terminal))
      if (poolsFileProblem !== '') terminal.warn(`the pools file cannot be used as it is now: ${poolsFileProblem}`)
      if (queueProblem !== '') terminal.warn(`SLURM's queue cannot be seen: ${queueProblem}`)
      if (excludedNodes.length > 0) terminal.warn(`left out because workers died there: ${excludedNodes.join(', ')}`)
    })
}
