import { parseNeeds, parseOffer, type WorkerId } from '#libs/domain'
import type { TaskNeeds as WireTaskNeeds } from '#libs/proto'

import type { TaskNeeds } from '../core/demand-class.js'
import { invalid } from './invalid.js'

const maxNeeds = 1_000
const maxPinnedWorkers = 1_000
const maxNameLength = 256
const highestPriority = 1_000_000

/** What the tasks of a job ask of the places where they run. */
export function needsToDomain(needs: readonly WireTaskNeeds[]): TaskNeeds[] {
  if (needs.length > maxNeeds) {
    throw invalid('TOO_MANY_NEEDS', `a job says at most ${maxNeeds} needs, not ${needs.length}`, 'job.needs')
  }
  return needs.map((each, index) => {
    const field = `job.needs[${index}]`
    const { priority, workers, host } = each
    if (Math.abs(priority) > highestPriority) {
      const message = `priority ${priority} is out of range: from -${highestPriority} to ${highestPriority} are taken`
      throw invalid('BAD_PRIORITY', message, `${field}.priority`)
    }
    const isNamed = (name: string): boolean => name !== '' && name.length <= maxNameLength
    if (workers.length > maxPinnedWorkers || !workers.every(isNamed)) {
      const message = `a task is pinned to at most ${maxPinnedWorkers} workers, each named by at most ${maxNameLength} characters`
      throw invalid('BAD_PIN', message, `${field}.workers`)
    }
    if (host.length > maxNameLength) {
      throw invalid('BAD_PIN', `a host has at most ${maxNameLength} characters`, `${field}.host`)
    }
    const resources = parsed(() => parseNeeds(Object.fromEntries(each.resources), 'resources'), `${field}.resources`)
    return { resources, priority, workers: workers as WorkerId[], host }
  })
}

/** Which of so many needs are the task's; nothing for none. */
export function needsOfTask(needs: number, count: number, index: number): { readonly needs?: number } {
  if (needs === 0) return {}
  if (needs <= count) return { needs }
  const message = `task ${index} names needs ${needs}, but the job says ${count}`
  throw invalid('UNKNOWN_NEEDS', message, `job.tasks[${index}].needs`)
}

/** What a worker offers beside slots. */
export function offerToDomain(resources: ReadonlyMap<string, number>): Record<string, number> {
  return parsed(() => parseOffer(Object.fromEntries(resources), 'resources'), 'hello.resources')
}

function parsed<T>(parse: () => T, field: string): T {
  try {
    return parse()
  } catch (error) {
    throw invalid('BAD_RESOURCES', (error as Error).message, field)
  }
}
