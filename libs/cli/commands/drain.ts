import { randomUUID } from 'node:crypto'

import type { Command } from 'commander'

import { answerTimeoutMs, askScheduler } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { workerStatusOf } from '../mesh-status.js'
import { report } from '../report.js'
import type { Terminal } from '../terminal.js'

interface Options {
  readonly mesh?: string
  readonly onlyIfIdle: boolean
}

/** `costate drain`: lets a worker finish what it runs, hand over what only it holds, and leave. */
export function addDrain(program: Command, terminal: Terminal): void {
  program
    .command('drain')
    .description('let a worker finish what it runs, hand over what only it holds, and leave; it gets no more tasks')
    .argument('<worker>', 'the id of the worker')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .option('--only-if-idle', 'refuse while it has tasks', false)
    .action(async (workerId: string, { mesh, onlyIfIdle }: Options, command: Command) => {
      const request = { workerId, onlyIfIdle, requestId: randomUUID() }
      const { worker } = await askScheduler(await chooseMesh(mesh), (scheduler) =>
        scheduler.drainWorker(request, { deadline: answerTimeoutMs }),
      )
      if (worker === undefined) throw new Error('the scheduler answered without a worker')
      report(terminal, command, workerStatusOf(worker), ({ assignedTasks: tasks, slots }) => {
        const first =
          tasks === 0
            ? 'it is idle and leaves'
            : `it has ${tasks} ${tasks === 1 ? 'task' : 'tasks'}, finishes what runs in its ${slots} ${slots === 1 ? 'slot' : 'slots'}, gives the others back and leaves`
        return `worker ${workerId} drains: ${first}`
      })
    })
}
