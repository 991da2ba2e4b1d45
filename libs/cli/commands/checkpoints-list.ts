import type { Command } from 'commander'

import { describeCheckpoint } from '#libs/checkpoint'

import { checkpointColumns, checkpointRowOf } from '../checkpoint-table.js'
import { parseLabel } from '../label-option.js'
import { askStore } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { addPaging, type PageOptions, readPages, tellMore } from '../paging.js'
import { report } from '../report.js'
import { renderTable } from '../table.js'
import type { Terminal } from '../terminal.js'

interface Options extends PageOptions {
  readonly mesh?: string
  readonly all: boolean
  readonly label?: Map<string, string>
}

/** `costate checkpoints list`: the newest version of each name, by name. */
export function addCheckpointsList(group: Command, terminal: Terminal): void {
  const command = group
    .command('list')
    .description('list checkpoints by name, the newest version of each')
    .argument('[prefix]', 'only names that start so', '')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .option('--all', 'all versions', false)
    .option('--label <key=value>', 'only versions with this label; may come several times', parseLabel)
    .action(async (prefix: string, options: Options, command: Command) => {
      const { all: allVersions, label: labels = new Map<string, string>() } = options
      const mesh = await chooseMesh(options.mesh)
      const page = await askStore(mesh, (store) =>
        readPages(options, async (request, call) => {
          const found = await store.listCheckpoints({ ...request, prefix, allVersions, labels }, call)
          return {
            items: found.checkpoints.map((checkpoint) => checkpointRowOf(describeCheckpoint(checkpoint))),
            nextPageToken: found.nextPageToken,
          }
        }),
      )
      report(terminal, command, page.items, (rows) =>
        rows.length > 0
          ? renderTable(checkpointColumns(Date.now()), rows, terminal)
          : `mesh '${mesh}' has no checkpoint${prefix === '' ? '' : ` under '${prefix}'`}`,
      )
      tellMore(page, command, terminal)
    })
  addPaging(command)
}
