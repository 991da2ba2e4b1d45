import { type SchedulerServiceImplementation, TaskState } from '#libs/proto'
import { numberIn, type PagedList, pageOf, readRequestId, rpcError, sortedList } from '#libs/rpc'

import type { Job, State, Task } from '../core/state.js'
import type { Loop } from '../loop.js'
import { findJob } from './jobs.js'
import { accept } from './refusal.js'
import { bundledToDomain } from './to-domain.js'
import { outcomeBytes, taskStateOf, taskToWire } from './to-wire.js'

type TaskMethods = Pick<
  SchedulerServiceImplementation,
  'getTask' | 'listTasks' | 'registerTask' | 'listRegisteredTasks'
>

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/** The unary calls about tasks and registered tasks. */
export function createTaskMethods(loop: Loop): TaskMethods {
  return {
    getTask: async ({ taskId }) => {
      const named = taskNamed(taskId)
      return loop.read((state) => ({ task: taskToWire(state, findTask(state, named)) }))
    },
    listTasks: (request) =>
      loop.read((state) => {
        const list = tasksByIndex(findJob(state, request.jobId), request.state)
        const { page, nextPageToken } = pageOf(list, request)
        return { tasks: page.map((task) => taskToWire(state, task)), nextPageToken }
      }),
    registerTask: async ({ task, requestId: given }) => {
      const requestId = readRequestId(given)
      if (!task || !namePattern.test(task.name) || !namePattern.test(task.version)) {
        const message = 'a registered task needs a name and a version of letters, digits, dots, dashes and underscores'
        const field = task && namePattern.test(task.name) ? 'task.version' : 'task.name'
        throw rpcError('INVALID_ARGUMENT', 'BAD_TASK_NAME', message, {
          fieldViolations: [{ field, description: message }],
        })
      }
      const called = bundledToDomain(task.function, 'task.function')
      const { name, version } = task
      accept(await loop.ask({ kind: 'taskRegistered', requestId, name, version, function: called }))
      return { task: { name, version, function: { ...called } } }
    },
    listRegisteredTasks: (request) =>
      loop.read((state) => {
        const byKey = sortedList(state.registeredTasks, ([key]) => key)
        const { page, nextPageToken } = pageOf(byKey, request)
        const tasks = page.map(([key, called]) => {
          const at = key.lastIndexOf('@')
          return { name: key.slice(0, at), version: key.slice(at + 1), function: { ...called } }
        })
        return { tasks, nextPageToken }
      }),
  }
}

/** The job, by id or pinned name, and the index that a task's id names. */
export function taskNamed(taskId: string): { job: string; index: number } {
  const slash = taskId.lastIndexOf('/')
  const digits = taskId.slice(slash + 1)
  if (slash < 0 || !/^(0|[1-9][0-9]{0,9})$/.test(digits)) throw unknownTask(taskId)
  return { job: taskId.slice(0, slash), index: Number(digits) }
}

/** The task that is named so. */
export function findTask(state: State, { job, index }: { readonly job: string; readonly index: number }): Task {
  const task = findJob(state, job).tasks[index]
  if (task === undefined) throw unknownTask(`${job}/${index}`)
  return task
}

function unknownTask(taskId: string) {
  const named = taskId.slice(0, 128)
  const message = `task ${named} is unknown; a task's id is its job's id, a slash and its index`
  const resource = { type: 'costate.task', name: named }
  return rpcError('NOT_FOUND', 'TASK_NOT_FOUND', message, { metadata: { taskId: named }, resource })
}

function tasksByIndex({ tasks }: Job, wanted: TaskState): PagedList<Task> {
  return {
    keyOf: ({ index }) => String(index),
    after: function* (key) {
      for (let index = key === undefined ? 0 : numberIn(key) + 1; index < tasks.length; index++) {
        const task = tasks[index] as Task
        if (wanted === TaskState.UNSPECIFIED || taskStateOf(task) === wanted) yield task
      }
    },
    sizeOf: outcomeBytes,
  }
}
