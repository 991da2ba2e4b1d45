import type { Command } from 'commander'

import { answerTimeoutMs, askScheduler } from '../mesh.js'
import { chooseMesh } from '../mesh-choice.js'
import { report } from '../report.js'
import { nameOfTaskState } from '../states.js'
import { printable } from '../table.js'
import { expectTaskId } from '../task-name.js'
import type { Terminal } from '../terminal.js'

/** `costate explain`: what a task waits for. */
export function addExplain(program: Command, terminal: Terminal): void {
  program
    .command('explain')
    .description('say in a sentence what a task waits for, where it runs or how it ended')
    .argument('<task>', 'the id of the task: job, slash, index')
    .option('--mesh <name>', "the mesh, or its scheduler's address; the one that runs unless given")
    .action(async (task: string, { mesh }: { mesh?: string }, command: Command) => {
      const named = expectTaskId(task)
      const { taskId, state, sentence } = await askScheduler(await chooseMesh(mesh), (scheduler) =>
        scheduler.explainTask({ taskId: named }, { deadline: answerTimeoutMs }),
      )
      report(terminal, command, { taskId, state: nameOfTaskState(state), sentence }, () => printable(sentence))
    })
}
