import type { TaskSpec } from './job-spec.js'

/** What a task's spec takes; the rest of a task is small, and bounded by their number. */
export function specBytes({ input, name }: TaskSpec): number {
  return input.byteLength + name.length
}
