import { type Allocation, type Ending, type EndingKind, nodeOf } from './allocation.js'
import { coreMsOf } from './budget.js'
import type { End } from './early-ends.js'
import type { Out } from './effect.js'
import { emit } from './emit.js'
import type { QueuedJob } from './event.js'
import type { State } from './state.js'

/** What ended an allocation that SLURM still shows. */
export function endingOf(allocation: Allocation, job: QueuedJob, slurmKind: EndingKind, knowsWorkers: boolean): Ending {
  const { state: slurmState, reason, exitCode, signal } = job
  const slurmReason = reason === 'None' ? '' : reason
  const kind = refineKind(allocation, slurmKind, knowsWorkers)
  const said = slurmReason === '' ? slurmState : `${slurmState} (${slurmReason})`
  const code = signal ? `, signal ${signal}` : exitCode ? `, exit code ${exitCode}` : ''
  const where = job.node === '' ? '' : ` on ${job.node}`
  return {
    kind,
    slurmState,
    slurmReason,
    exitCode,
    signal,
    text: `${sentences[kind]}${where}: SLURM says ${said}${code}${why(allocation)}`,
  }
}

/** What ended an allocation of which SLURM knows nothing any more. */
export function vanishedEnding(allocation: Allocation): Ending {
  const { cancel, phase, jobId } = allocation
  const kind = cancel ? kindOfCancel(allocation) : 'vanished'
  const text =
    `${sentences[kind]}: SLURM does not know job ${jobId ?? '(id unknown)'} any more, ` +
    `which was ${phase.kind} last${why(allocation)}`
  return { kind, slurmState: '', slurmReason: '', exitCode: undefined, signal: undefined, text }
}

/** Takes an allocation out of what is there. */
export function endAllocation(
  state: State,
  allocation: Allocation,
  ending: Ending,
  slurmNode: string,
  atMs: number,
  out: Out,
): End {
  const node = slurmNode || nodeOf(allocation)
  const { key, index, pool: name, id, jobId } = allocation
  const pool = state.pools.get(name)
  const spent = coreMsOf(allocation, atMs)
  if (pool && spent > 0) {
    emit(state, out, { kind: 'coreTimeSpent', pool: name, totalCoreMs: pool.spentCoreMs + spent })
  }
  emit(state, out, { kind: 'allocationEnded', key, index })
  const submission = state.submissions.get(key)
  if (submission?.openIndices.size === 0) emit(state, out, { kind: 'submissionEnded', key })
  state.history.push({ number: state.nextEnd++, allocation, ending, node, endedAtMs: atMs })
  if (state.history.length > state.policy.historyLength) state.history.shift()
  pool?.totals.endings.set(ending.kind, (pool.totals.endings.get(ending.kind) ?? 0) + 1)
  const level = isExpected(ending.kind) ? 'info' : 'warn'
  out.effects.push({
    ...{ kind: 'tell', level, text: `allocation ${id} ${ending.text}`, pool: name, allocation: id },
    ...(jobId === undefined ? {} : { jobId }),
  })
  return { pool: name, node, isEarly: isEarly(allocation, ending), text: ending.text }
}

function isEarly({ wasRegistered, startedAtMs, cancel }: Allocation, { kind }: Ending): boolean {
  if (kind === 'failedBeforeRegistering' || kind === 'neverRegistered') return true
  return kind === 'vanished' && !wasRegistered && startedAtMs === undefined && cancel === undefined
}

const sentences: Readonly<Record<EndingKind, string>> = {
  completed: 'ended in order',
  timeout: 'reached its time limit',
  preempted: 'was preempted',
  nodeFailure: 'was lost with its node',
  outOfMemory: 'ran out of memory',
  cancelled: 'was cancelled',
  failed: 'failed',
  failedBeforeRegistering: 'ended before its worker reached the scheduler',
  neverRegistered: 'was given up: it ran, and its worker never reached the scheduler',
  neverStarted: 'was given up: it never started',
  vanished: 'is gone',
}

function isExpected(kind: EndingKind): boolean {
  return kind === 'completed' || kind === 'cancelled'
}

function why({ cancel }: Allocation): string {
  return cancel === undefined ? '' : `; cancelled here: ${cancel.text}`
}

/** SLURM's word, or what we know better. */
function refineKind(allocation: Allocation, slurmKind: EndingKind, knowsWorkers: boolean): EndingKind {
  const { wasRegistered, cancel, startedAtMs } = allocation
  if (cancel && (slurmKind === 'cancelled' || slurmKind === 'completed' || slurmKind === 'failed'))
    return kindOfCancel(allocation)
  // Nobody looked while it ran: it may have registered.
  if (wasRegistered || !knowsWorkers) return slurmKind
  if (slurmKind === 'completed' || slurmKind === 'failed') return 'failedBeforeRegistering'
  return slurmKind === 'timeout' && startedAtMs !== undefined ? 'neverRegistered' : slurmKind
}

function kindOfCancel({ cancel }: Allocation): EndingKind {
  switch (cancel?.reason) {
    case 'neverRegistered':
      return 'neverRegistered'
    case 'neverStarted':
    case 'hopeless':
      return 'neverStarted'
    default:
      return 'cancelled'
  }
}
