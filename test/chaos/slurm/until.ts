import { setTimeout as pause } from 'node:timers/promises'

const lookMs = 100
const usualPatienceMs = 120_000

/** Resolves when it is true. @throws Error that says what was waited for. */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  patienceMs = usualPatienceMs,
): Promise<void> {
  const startedAtMs = Date.now()
  while (!(await isTrue())) {
    if (Date.now() - startedAtMs > patienceMs) throw new Error(`${what}: not within ${patienceMs / 1_000} s`)
    await pause(lookMs)
  }
}
