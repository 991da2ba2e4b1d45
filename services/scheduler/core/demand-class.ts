import type { WorkerId } from '#libs/domain'

import type { JobSpec } from './job-spec.js'
import type { Job } from './state.js'

/** What a task asks of the place where it runs. */
export interface TaskNeeds {
  /** How much of each resource it takes; a task takes one slot (`cpu`) unless it says otherwise. */
  readonly resources: Readonly<Record<string, number>>
  /** Higher first. */
  readonly priority: number
  /** It runs on one of these, and nowhere else; anywhere when empty. */
  readonly workers: readonly WorkerId[]
  /** It runs on a worker of this host, and nowhere else; anywhere when empty. */
  readonly host: string
}

/** What tasks with the same resources take of a worker. */
export interface Shape {
  readonly key: string
  /** How many slots. */
  readonly slots: number
  /** How much of what else, by name. */
  readonly others: readonly (readonly [name: string, amount: number])[]
}

/** What tasks have in common that can run in the same places, with the same priority. */
export interface Demand {
  readonly key: string
  readonly priority: number
  readonly shape: Shape
  readonly workers: readonly WorkerId[]
  readonly host: string
}

/** One slot and nothing else: most tasks. */
export const slotShape: Shape = { key: '', slots: 1, others: [] }

export const plainDemand: Demand = { key: '', priority: 0, shape: slotShape, workers: [], host: '' }

/** Whether tasks of the shape take one slot and nothing else. */
export function isPlain(shape: Shape): boolean {
  return shape === slotShape
}

/** What tasks without needs ask for. */
export function plainDemandOf(inherited: number): Demand {
  return inherited === 0 ? plainDemand : demandOfNeeds({ resources: {}, priority: 0, workers: [], host: '' }, inherited)
}

export function isPinned({ workers, host }: Demand): boolean {
  return workers.length > 0 || host !== ''
}

/** What tasks with these needs, or without any, ask for; with the priority of the task that submitted them added. */
export function demandOfNeeds({ resources, priority: own, workers, host }: TaskNeeds, inherited = 0): Demand {
  const priority = own + inherited
  const shape = shapeOf(resources)
  if (shape === slotShape && priority === 0 && workers.length === 0 && host === '') return plainDemand
  const pins = [...new Set(workers)].sort()
  return { key: JSON.stringify([priority, shape.key, pins, host]), priority, shape, workers: pins, host }
}

function shapeOf(resources: TaskNeeds['resources']): Shape {
  const { cpu: slots = 1, ...rest } = resources
  const others = Object.entries(rest)
    .filter(([, amount]) => amount > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  if (slots === 1 && others.length === 0) return slotShape
  return { key: JSON.stringify([slots, others]), slots, others }
}

/** What the tasks of a job ask for; they come before others as the task does that submitted them. */
export function demandsOf({ needs = [], parent }: JobSpec): Pick<Job, 'demands' | 'plainDemand'> {
  const inherited = parent?.priority ?? 0
  return {
    demands: needs.map((each) => demandOfNeeds(each, inherited)),
    plainDemand: plainDemandOf(inherited),
  }
}
