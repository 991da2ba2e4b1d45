import { createHash } from 'node:crypto'

import { bundleTask } from '#libs/bundle'
import { type AnyTask, ScatteredObject, TaskFuture } from '#libs/task'
import { encodePayload, encodeValue } from '#libs/value'

import { calledOf } from './submission.js'

/** What `Cluster.digestOf` gives. */
export async function digestOfComputation(task: AnyTask, values: readonly unknown[]): Promise<string> {
  calledOf(task)
  const payload = encodePayload(
    encodeValue([...values], `what task ${task.taskName} computes with`, { findReference: refuse }),
  )
  const { digest } = await bundleTask(task)
  return createHash('sha256').update(`${digest}\n${task.taskName}\n`).update(payload).digest('hex')
}

function refuse(part: object): undefined {
  if (!(part instanceof TaskFuture || part instanceof ScatteredObject)) return undefined
  throw new TypeError('a future or a scattered object cannot be compared with what was kept: give the value itself')
}
