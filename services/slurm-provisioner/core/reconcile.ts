import type { Out } from './effect.js'
import type { Event, EventOf } from './event.js'
import { spreadDemand, spreadPresent } from './spread.js'
import type { Pool, State } from './state.js'

/**
 * The whole provisioner: the same state and the same event always give the same effects. Mutates `state` and appends to
 * `out`. There are no facts to remember: the level of demand is heard again after a restart.
 */
export function reconcile(state: State, event: Event, out: Out): void {
  switch (event.kind) {
    case 'demandHeard':
      return hearDemand(state, event, out)
    case 'demandLost':
      return loseDemand(state)
    case 'timePassed':
      return passTime(state, event)
    default:
      return event satisfies never
  }
}

/** When `timePassed` has to be said next, in ms since the Unix epoch; nothing while time changes nothing. */
export function nextDeadlineMs({ pools }: State): number | undefined {
  const deadlines = pools.flatMap(({ lull, limits }) => (lull ? [lull.sinceMs + limits.idleTimeoutMs] : []))
  return deadlines.length > 0 ? Math.min(...deadlines) : undefined
}

function hearDemand(state: State, event: EventOf<'demandHeard'>, out: Out): void {
  state.demandIsCurrent = true
  const targets = spreadDemand(
    state.pools.map(({ limits }) => limits),
    event.wantedSlots,
  )
  for (const [index, pool] of state.pools.entries()) {
    pool.targetWorkers = targets[index] ?? 0
    followTarget(pool, event.atMs)
  }
  const present = spreadPresent(state.pools, event.presentWorkers)
  for (const [index, pool] of state.pools.entries()) allocate(pool, present[index] ?? 0, out)
}

/** A level that nobody vouches for is no reason to let workers go. */
function loseDemand(state: State): void {
  state.demandIsCurrent = false
  for (const pool of state.pools) pool.lull = undefined
}

function passTime(state: State, event: EventOf<'timePassed'>): void {
  if (!state.demandIsCurrent) return
  for (const pool of state.pools) followTarget(pool, event.atMs)
}

/** Up at once; down only after a lull, and then to the most that was asked for during it. */
function followTarget(pool: Pool, atMs: number): void {
  const { targetWorkers, limits } = pool
  if (targetWorkers >= pool.desiredWorkers) {
    pool.desiredWorkers = targetWorkers
    pool.lull = undefined
    return
  }
  const sinceMs = pool.lull?.sinceMs ?? atMs
  const highest = Math.max(targetWorkers, pool.lull?.highest ?? 0)
  pool.lull = { sinceMs, highest }
  if (atMs - sinceMs < limits.idleTimeoutMs) return
  pool.desiredWorkers = highest
  pool.lull = targetWorkers < highest ? { sinceMs: atMs, highest: targetWorkers } : undefined
}

/** Asks for workers that are desired, not there and not asked for. One that went away is asked for again. */
function allocate(pool: Pool, presentWorkers: number, out: Out): void {
  const gone = Math.max(0, pool.presentWorkers - presentWorkers)
  const expected = Math.min(pool.allocatedWorkers - gone, pool.desiredWorkers)
  pool.presentWorkers = presentWorkers
  pool.allocatedWorkers = Math.max(presentWorkers, expected)
  const count = pool.desiredWorkers - pool.allocatedWorkers
  if (count <= 0) return
  out.effects.push({ kind: 'printScript', pool: pool.limits.name, count })
  pool.allocatedWorkers = pool.desiredWorkers
}
