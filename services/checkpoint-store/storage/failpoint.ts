/**
 * Places before and after each durable step where a test may end the process, as a loss of power would: `COSTATE_FAILPOINT`
 * names one, and after a colon how often it is passed before.
 */
export type Failpoint =
  | 'before-chunk-write'
  | 'after-chunk-write'
  | 'after-chunk-sync'
  | 'before-publish'
  | 'between-renames'
  | 'after-renames'
  | 'after-folder-sync'
  | 'before-decision'
  | 'before-catalogue-flush'
  | 'after-catalogue-flush'
  | 'after-answer'
  | 'before-chunk-removal'
  | 'after-chunk-removal'
  | 'after-discard'
  | 'before-catalogue-replay'
  | 'after-catalogue-replay'
  | 'after-inventory'

/** All of them, in about the order of a save. */
export const failpoints: readonly Failpoint[] = [
  'before-chunk-write',
  'after-chunk-write',
  'after-chunk-sync',
  'before-publish',
  'between-renames',
  'after-renames',
  'after-folder-sync',
  'before-decision',
  'before-catalogue-flush',
  'after-catalogue-flush',
  'after-answer',
  'before-chunk-removal',
  'after-chunk-removal',
  'after-discard',
  'before-catalogue-replay',
  'after-catalogue-replay',
  'after-inventory',
]

/** Ends the process here when it was asked to. */
export type Pass = (at: Failpoint) => void

/** What is started without the variable passes everywhere. */
export function readFailpoint(setting: string | undefined): Pass {
  if (setting === undefined || setting === '') return () => undefined
  const [name, count = '0'] = setting.split(':')
  if (!failpoints.some((known) => known === name)) {
    throw new Error(`COSTATE_FAILPOINT=${setting}: there is no such place; they are ${failpoints.join(', ')}`)
  }
  let passes = Number(count)
  return (at) => {
    if (at === name && passes-- === 0) process.kill(process.pid, 'SIGKILL')
  }
}
