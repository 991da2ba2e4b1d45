import { backOff } from './backoff.js'
import type { Out } from './effect.js'
import { emit } from './emit.js'
import type { State } from './state.js'

/** An allocation that ended, as the search for bad nodes and bad pools sees it. */
export interface End {
  readonly pool: string
  readonly node: string
  /** Before a worker of it reached the scheduler, and by nobody's will. */
  readonly isEarly: boolean
  readonly text: string
}

/** So many early ends on a node, with no worker from there in between, and jobs are kept away from it. */
const mostFailures = 2

/**
 * Learns from allocations that ended before a worker of theirs reached the scheduler: a node on which that happens again gets no
 * more of them, for a while; a pool to which it happens on several nodes is paused. One node that swallows everything in a second
 * counts once per listing, so that it cannot stop a pool.
 */
export function judgeEnds(state: State, ends: readonly End[], atMs: number, out: Out): void {
  const early = ends.filter(({ isEarly }) => isEarly)
  for (const name of new Set(early.map(({ pool }) => pool))) {
    const own = early.filter(({ pool }) => pool === name)
    const nodes = new Set(own.map(({ node }) => node))
    for (const node of nodes)
      judgeNode(
        state,
        node,
        own.filter((end) => end.node === node),
        atMs,
        out,
      )
    const pool = state.pools.get(name)
    if (pool === undefined) continue
    pool.neverRegistered += nodes.size
    backOff(state, pool, pool.neverRegistered, atMs)
    const last = own.at(-1)!.text
    if (pool.neverRegistered < pool.limits.maxNeverRegistered || pool.pause !== undefined) continue
    const reason =
      `${pool.neverRegistered} allocations in a row ended without a worker at the scheduler; the last one ${last}. ` +
      'See the output of the job, and costate slurm script for what it runs; then resume the pool.'
    emit(state, out, { kind: 'poolPaused', pool: name, pause: { sinceMs: atMs, by: 'provisioner', reason } })
    out.effects.push({ kind: 'tell', level: 'warn', text: `pool ${name} is paused: ${reason}`, pool: name })
  }
}

/** A worker came up there: what went wrong before is past. */
export function forgetFailures(state: State, poolName: string, node: string): void {
  const record = state.nodes.get(node)
  if (record && record.excluded === undefined) state.nodes.delete(node)
  const pool = state.pools.get(poolName)
  if (pool) pool.neverRegistered = 0
}

/** Lets nodes back in whose time is over. */
export function readmitNodes(state: State, atMs: number, out: Out): void {
  for (const [node, { excluded }] of [...state.nodes]) {
    if (excluded === undefined || excluded.untilMs > atMs) continue
    emit(state, out, { kind: 'nodeReadmitted', node })
    out.effects.push({ kind: 'tell', level: 'info', text: `node ${node} may be used again` })
  }
}

function judgeNode(state: State, node: string, ends: readonly End[], atMs: number, out: Out): void {
  // A job on several nodes does not say which one was to blame.
  if (node === '' || /[,[]/.test(node)) return
  const record = state.nodes.get(node) ?? { failures: 0, excluded: undefined }
  state.nodes.set(node, record)
  record.failures += ends.length
  if (record.failures < mostFailures || record.excluded !== undefined) return
  const reason = `${record.failures} allocations ended there before their worker reached the scheduler; the last one ${ends.at(-1)!.text}`
  emit(state, out, { kind: 'nodeExcluded', node, untilMs: atMs + state.policy.excludeNodeMs, reason })
  out.effects.push({ kind: 'tell', level: 'warn', text: `node ${node} is left out for a while: ${reason}` })
}
