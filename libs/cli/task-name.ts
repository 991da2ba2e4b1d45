import { parseTaskId } from '#libs/domain'

import { CliError, exitCodes } from './cli-error.js'

/** Checks that the text names a task, and says what does when it does not. */
export function expectTaskId(text: string): string {
  if (isTaskId(text)) return text
  const message = `'${text}' is no task: a task is its job's id or name, a slash and its index, such as j-1/0; costate tasks lists those of a job`
  throw new CliError(exitCodes.usage, 'NO_TASK_ID', message)
}

/** Whether the text names a task; the job may be named by the name that it is pinned under. */
export function isTaskId(text: string): boolean {
  return parseTaskId(text) !== undefined || /^.+\/(0|[1-9]\d{0,9})$/.test(text)
}
