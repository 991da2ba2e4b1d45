import type { Task } from './state.js'

/** Who waits for more than this is held up by the last of them, after which a worker has nothing more to wait for. */
const fewInputs = 16

/**
 * Whether what becomes of the task is to be heard at once: somebody can go on with its result, or it ran before, and who ends a
 * worker must be told from who ran there before. Of others a worker may say several together.
 */
export function isUrgent({ attempt, job, dependents }: Task): boolean {
  if (attempt > 1) return true
  if (job.parent !== undefined && job.spec.tasks.length <= fewInputs) return true
  // That many of them wait for few others is as good as said by the first.
  const [first] = dependents ?? []
  return first?.status.kind === 'waiting' && first.status.missing <= fewInputs
}
