import type { TaskFuture } from '#libs/task'

import { type MeshConnection } from './mesh-connection.js'
import { meshErrorOf } from './mesh-error.js'

/** A task: its future, or its id (job id, slash, index). */
export type NamedTask = TaskFuture<unknown> | string

/** One thing that happened to a task. */
export interface StoryLine {
  /** By the scheduler's clock; nothing when that is forgotten. */
  readonly at: Date | undefined
  /** The scheduler's name for the fact or event, such as `taskSettled`. */
  readonly event: string
  /** For people. */
  readonly text: string
  /** 0 for none. */
  readonly attempt: number
  /** Empty for none. */
  readonly workerId: string
}

/** Asks the scheduler what a task waits for. */
export async function explainTask({ scheduler }: MeshConnection, task: NamedTask): Promise<string> {
  const taskId = await knownIdOf(task)
  try {
    return (await scheduler.explainTask({ taskId })).sentence
  } catch (error) {
    throw meshErrorOf(error)
  }
}

/** Asks the scheduler what happened to a task. */
export async function readStory({ scheduler }: MeshConnection, task: NamedTask): Promise<StoryLine[]> {
  const taskId = await knownIdOf(task)
  const story: StoryLine[] = []
  let pageToken = ''
  try {
    do {
      const page = await scheduler.getTaskStory({ taskId, pageSize: 1_000, pageToken })
      for (const { atMs, ...line } of page.lines) story.push({ ...line, at: atMs > 0 ? new Date(atMs) : undefined })
      pageToken = page.nextPageToken
    } while (pageToken !== '')
  } catch (error) {
    throw meshErrorOf(error)
  }
  return story
}

/** The id of a task that the scheduler knows by now. */
async function knownIdOf(task: NamedTask): Promise<string> {
  if (typeof task === 'string') return task
  await task.job.submitted
  return task.id
}
