import { parseTaskId } from '#libs/domain'
import { type SchedulerServiceImplementation, TaskState } from '#libs/proto'
import { rpcError } from '#libs/rpc'

import type { Loop } from '../loop.js'
import { findJob } from './jobs.js'
import { pageOf } from './page.js'
import { accept } from './refusal.js'
import { bundledToDomain } from './to-domain.js'
import { taskStateOf, taskToWire } from './to-wire.js'

type TaskMethods = Pick<
  SchedulerServiceImplementation,
  'getTask' | 'listTasks' | 'registerTask' | 'listRegisteredTasks'
>

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/** The unary calls about tasks and registered tasks. */
export function createTaskMethods(loop: Loop): TaskMethods {
  const { state } = loop
  return {
    getTask: async ({ taskId }) => {
      const id = parseTaskId(taskId)
      const task = id && findJob(state, id.jobId).tasks[id.index]
      if (task === undefined) {
        const message = `task ${taskId.slice(0, 128)} is unknown; a task's id is its job's id, a slash and its index`
        throw rpcError('NOT_FOUND', 'TASK_NOT_FOUND', message, { metadata: { taskId: taskId.slice(0, 128) } })
      }
      return { task: taskToWire(state, task) }
    },
    listTasks: async (request) => {
      const { tasks } = findJob(state, request.jobId)
      const wanted = tasks.filter(
        (task) => request.state === TaskState.UNSPECIFIED || taskStateOf(task) === request.state,
      )
      const { page, nextPageToken } = pageOf(wanted, ({ index }) => String(index), request)
      return { tasks: page.map((task) => taskToWire(state, task)), nextPageToken }
    },
    registerTask: async ({ task }) => {
      if (!task || !namePattern.test(task.name) || !namePattern.test(task.version)) {
        const message = 'a registered task needs a name and a version of letters, digits, dots, dashes and underscores'
        throw rpcError('INVALID_ARGUMENT', 'BAD_TASK_NAME', message)
      }
      const called = bundledToDomain(task.function, 'task.function')
      const { name, version } = task
      accept(await loop.ask({ kind: 'taskRegistered', name, version, function: called }))
      return { task: { name, version, function: { ...called } } }
    },
    listRegisteredTasks: async (request) => {
      const { page, nextPageToken } = pageOf(state.registeredTasks, ([key]) => key, request)
      const tasks = page.map(([key, called]) => {
        const at = key.lastIndexOf('@')
        return { name: key.slice(0, at), version: key.slice(at + 1), function: { ...called } }
      })
      return { tasks, nextPageToken }
    },
  }
}
