import type { Command } from 'commander'

import { askProvisioner } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { addPaging, type PageOptions, readPages, tellMore } from '../paging.js'
import { allocationColumns, allocationRowOf } from '../pool-table.js'
import { report } from '../report.js'
import { renderTable } from '../table.js'
import type { Terminal } from '../terminal.js'

interface Options extends PageOptions {
  readonly pool?: string
  readonly live: boolean
}

/** `costate slurm allocations`: the SLURM jobs of the pools, and how those ended that have. */
export function addSlurmAllocations(group: Command, terminal: Terminal): void {
  const command = group
    .command('allocations')
    .description('list the SLURM jobs of the pools: those there are, then those that have ended, the newest first')
    .argument('[mesh]', "the mesh, or its scheduler's address; the one that runs unless given")
    .option('--pool <name>', 'only those of this pool')
    .option('--live', 'only those that have not ended', false)
    .action(async (named: string | undefined, options: Options, command: Command) => {
      const mesh = await chooseMesh(named)
      const page = await askProvisioner(mesh, (provisioner) =>
        readPages(options, async (request, call) => {
          const asked = { ...request, pool: options.pool ?? '', onlyLive: options.live }
          const { allocations, nextPageToken } = await provisioner.listAllocations(asked, call)
          return { items: allocations.map(allocationRowOf), nextPageToken }
        }),
      )
      report(terminal, command, page.items, (rows) =>
        rows.length > 0 ? renderTable(allocationColumns, rows, terminal) : `mesh '${mesh}' has no SLURM jobs`,
      )
      tellMore(page, command, terminal)
    })
  addPaging(command)
}
