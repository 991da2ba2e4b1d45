import type { SchedulerServiceImplementation } from '#libs/proto'
import { numberIn, type PagedList, pageOf } from '#libs/rpc'

import { explainTask } from '../core/explain.js'
import type { Task } from '../core/state.js'
import { type StoryLine, storyOf } from '../core/story.js'
import { createRunBatch } from '../effects/run-batch.js'
import type { Loop } from '../loop.js'
import { findTask, taskNamed } from './tasks.js'
import { taskStateOf } from './to-wire.js'

type TaskAnswers = Pick<SchedulerServiceImplementation, 'explainTask' | 'getTaskStory' | 'getTaskCall'>

/** The calls that answer what people ask about a task: why it does not run, what became of it, whether it fails here too. */
export function createTaskAnswers(loop: Loop): TaskAnswers {
  /** Whether the task had a result before. */
  const wasLost = (task: Task): boolean =>
    loop.notes.recordsOf(task).findLast(({ happening }) => happening === 'taskSettled' || happening === 'taskReopened')
      ?.happening === 'taskReopened'

  return {
    explainTask: async ({ taskId }) => {
      const named = taskNamed(taskId)
      return loop.read((state) => {
        const task = findTask(state, named)
        const sentence = explainTask(state, task, loop.nowMs(), wasLost(task))
        return { taskId: idOf(task), state: taskStateOf(task), sentence }
      })
    },
    getTaskStory: async ({ taskId, ...request }) => {
      const named = taskNamed(taskId)
      return loop.read((state) => {
        const task = findTask(state, named)
        const { page, nextPageToken } = pageOf(inOrder(storyOf(task, loop.notes.recordsOf(task))), request)
        const lines = page.map(({ line }) => ({ ...line, workerId: line.workerId ?? '' }))
        return { lines, nextPageToken }
      })
    },
    getTaskCall: async ({ taskId }) => {
      const named = taskNamed(taskId)
      return loop.read((state) => {
        const task = findTask(state, named)
        const batch = createRunBatch(state)
        batch.add(task, task.attempt, state.epoch, {})
        const [message] = batch.messages()
        return { job: message?.jobs[0], task: message?.tasks[0] }
      })
    },
  }
}

function idOf({ job, index }: Task): string {
  return `${job.spec.jobId}/${index}`
}

function inOrder(lines: readonly StoryLine[]): PagedList<{ readonly nth: number; readonly line: StoryLine }> {
  const numbered = lines.map((line, nth) => ({ nth, line }))
  return {
    keyOf: ({ nth }) => String(nth),
    after: (key) => (key === undefined ? numbered : numbered.slice(numberIn(key) + 1)),
  }
}
