import type { Command } from 'commander'

import { type WorkerState } from '#libs/proto'

import { askScheduler } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { workerStatusOf } from '../mesh-status.js'
import { addPaging, type PageOptions, readPages, tellMore } from '../paging.js'
import { report } from '../report.js'
import { nameOfWorkerState, parseWorkerState, workerStateNames } from '../states.js'
import { renderTable } from '../table.js'
import type { Terminal } from '../terminal.js'
import { workerColumns } from '../worker-table.js'

interface Options extends PageOptions {
  readonly state?: WorkerState
}

/** `costate workers`: the workers of a mesh. */
export function addWorkers(program: Command, terminal: Terminal): void {
  const command = program
    .command('workers')
    .description('list the workers of a mesh, by id')
    .argument('[mesh]', "the mesh, or its scheduler's address; the one that runs unless given")
    .option('--state <state>', `only workers in this state: ${workerStateNames}`, parseWorkerState)
    .action(async (named: string | undefined, options: Options, command: Command) => {
      const mesh = await chooseMesh(named)
      const page = await askScheduler(mesh, (scheduler) =>
        readPages(options, async (request, call) => {
          const { workers, nextPageToken } = await scheduler.listWorkers(request, call)
          const wanted = workers.filter(({ state }) => options.state === undefined || state === options.state)
          return { items: wanted.map(workerStatusOf), nextPageToken }
        }),
      )
      const which = options.state === undefined ? '' : ` that is ${nameOfWorkerState(options.state)}`
      report(terminal, command, page.items, (workers) =>
        workers.length > 0 ? renderTable(workerColumns, workers, terminal) : `mesh '${mesh}' has no worker${which}`,
      )
      tellMore(page, command, terminal)
    })
  addPaging(command, 1_000)
}
