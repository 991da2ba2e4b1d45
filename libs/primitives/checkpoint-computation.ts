import type { Task } from '#libs/client'

import { runOn, type RunOptions } from './run.js'

/** How to compute once. */
export interface CheckpointComputationOptions extends RunOptions {
  /** Under which the result is kept in the checkpoint-store, such as `studies/wing/mesh`. */
  readonly name: string
  /** Computes again, whatever is kept. */
  readonly force?: boolean
}

/** What is kept under the name. */
interface Kept<R> {
  /** Of the task's bundle and the inputs. */
  readonly fingerprint: string
  readonly result: R
}

/**
 * Computes once: the task's result is kept under a name, and given back the next time without computing. It is computed again
 * with `force`, and when the inputs or the code of the task's module, with all that it imports, have changed.
 *
 *     const mesh = await checkpointComputation(refine, [geometry, 0.01], { cluster, name: 'studies/wing/mesh' })
 *
 * @param inputs the task's arguments.
 * @throws TypeError for futures and scattered objects among the inputs; TaskError when the task fails: then nothing is kept.
 */
export async function checkpointComputation<A extends readonly unknown[], R>(
  task: Task<A, R>,
  inputs: A,
  options: CheckpointComputationOptions,
): Promise<R> {
  const { name, force = false } = options
  return await runOn('checkpointComputation', options, async (run) => {
    const { checkpoints } = run.cluster
    const fingerprint = await run.cluster.digestOf(task, ...inputs)
    const kept = force ? undefined : await checkpoints.load<Kept<R>>(name)
    if (kept?.value.fingerprint === fingerprint) return kept.value.result
    const [future] = run.keep([run.cluster.submit(task, ...(inputs as never))])
    const result = (await future!.result()) as R
    await checkpoints.save(name, { fingerprint, result } satisfies Kept<R>)
    options.onProgress?.({ done: 1, failed: 0, total: 1 })
    return result
  })
}
