/** How long a task that is told to stop may take: as long as on a mesh, where its thread is ended then. */
const stopGraceMs = 1_000

/** A task ran longer than its timeout. */
export class InlineTimeoutError extends Error {
  override readonly name = 'InlineTimeoutError'
}

/**
 * What the task gives, unless it is stopped, by its timeout or from outside, and does not heed that within the grace. It may
 * then go on, which nobody in the same thread can prevent, but nobody waits for it any more.
 */
export async function runUntilStopped<T>(
  taskId: string,
  run: () => Promise<T>,
  stop: AbortController,
  timeoutMs: number | undefined,
): Promise<T> {
  const { signal } = stop
  const startedAtMs = Date.now()
  const timers: NodeJS.Timeout[] = []
  const timedOut = new InlineTimeoutError(`task ${taskId} ran longer than its timeout of ${timeoutMs ?? 0} ms`)
  if (timeoutMs !== undefined) timers.push(setTimeout(() => stop.abort(timedOut), timeoutMs))
  const givenUp = new Promise<never>((_, reject) => {
    const giveUp = (): void => void timers.push(setTimeout(() => reject(signal.reason as Error), stopGraceMs))
    signal.addEventListener('abort', giveUp, { once: true })
  })
  try {
    const result = await Promise.race([run(), givenUp])
    // A busy loop lets no timer run.
    if (timeoutMs !== undefined && Date.now() - startedAtMs > timeoutMs + stopGraceMs) throw timedOut
    return result
  } catch (error) {
    throw signal.reason === timedOut ? timedOut : error
  } finally {
    for (const timer of timers) clearTimeout(timer)
  }
}
