import { parseNeeds } from '#libs/domain'
import type { TaskNeeds } from '#libs/proto'
import type { SubmitOptions } from '#libs/task'

const highestPriority = 1_000_000

/**
 * What tasks that are submitted so ask of the places where they run; nothing for a slot anywhere.
 *
 * @throws RangeError for what makes no sense.
 */
export function needsOf({ resources, priority = 0, workers = [], host = '' }: SubmitOptions): TaskNeeds | undefined {
  const amounts = parseNeeds(resources ?? {}, 'resources')
  if (!Number.isInteger(priority) || Math.abs(priority) > highestPriority) {
    const range = `from -${highestPriority} to ${highestPriority}`
    throw new RangeError(`priority is ${priority}: give a whole number ${range}, the higher the earlier`)
  }
  if (Object.keys(amounts).length === 0 && priority === 0 && workers.length === 0 && host === '') return undefined
  return { resources: new Map(Object.entries(amounts)), priority, workers: [...workers], host }
}
