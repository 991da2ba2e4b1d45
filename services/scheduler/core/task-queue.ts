import { rootOf } from './counts.js'
import type { Demand } from './demand-class.js'
import { Lane, LaneGroup, type QueuedTask } from './lane.js'
import { demandOfTask } from './slots.js'
import type { Job } from './state.js'

/** The groups of one priority. */
export interface Level {
  readonly priority: number
  readonly groups: LaneGroup[]
}

/**
 * Queued tasks: by priority, then by what they need, then by family of jobs. What fits nowhere stands in the way of nobody: who places
 * tasks walks over groups, not over tasks.
 */
export class TaskQueue {
  /** The highest priority first. */
  readonly levels: Level[] = []
  readonly #groups = new Map<string, LaneGroup>()
  #turns = 0

  push(entry: QueuedTask): void {
    const root = rootOf(entry.task.job)
    const group = this.#groupOf(demandOfTask(entry.task))
    const lane = root.lanes.get(group) ?? this.#open(root, group)
    lane.push(entry)
  }

  /** The lane was served: others of the same job count have their turn first. */
  passTurn(lane: Lane): void {
    lane.turn = ++this.#turns
    lane.group.lanes.place(lane)
  }

  /** Forgets a group that has no tasks. */
  drop(group: LaneGroup): void {
    this.#groups.delete(group.demand.key)
    const at = this.levels.findIndex(({ priority }) => priority === group.demand.priority)
    const groups = this.levels[at]?.groups ?? []
    groups.splice(groups.indexOf(group), 1)
    if (groups.length === 0) this.levels.splice(at, 1)
  }

  *groups(): Generator<LaneGroup> {
    for (const { groups } of this.levels) yield* groups
  }

  /** The places of all tasks, dead ones included. */
  get length(): number {
    let length = 0
    for (const { lanes } of this.groups()) for (const lane of lanes.values()) length += lane.length
    return length
  }

  /** All queued tasks; those of one lane in the order of their turns. */
  *values(): Generator<QueuedTask> {
    for (const { lanes } of this.groups()) for (const lane of lanes.values()) yield* lane.values()
  }

  #open(root: Job, group: LaneGroup): Lane {
    const lane = new Lane(root, group)
    root.lanes.set(group, lane)
    this.passTurn(lane)
    return lane
  }

  #groupOf(demand: Demand): LaneGroup {
    let group = this.#groups.get(demand.key)
    if (group !== undefined) return group
    group = new LaneGroup(demand)
    this.#groups.set(demand.key, group)
    const { priority } = demand
    const level = this.levels.find((known) => known.priority === priority)
    if (level) level.groups.push(group)
    else {
      const at = this.levels.findIndex((known) => known.priority < priority)
      this.levels.splice(at < 0 ? this.levels.length : at, 0, { priority, groups: [group] })
    }
    return group
  }
}
