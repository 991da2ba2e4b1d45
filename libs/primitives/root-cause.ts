import { TaskError } from '#libs/client'

/** The failure that made others fail, whose inputs it was to give. */
export function rootCauseOf(error: unknown): unknown {
  let at = error
  while (at instanceof TaskError && at.kind === 'input' && at.cause instanceof TaskError) at = at.cause
  return at
}
