import { type Allocation, isStaying } from './allocation.js'
import { coreHoursOf, hasBudgetFor, remainingCoreMs } from './budget.js'
import { allocationsFor, type Pool } from './pool.js'
import { roomOf } from './room.js'
import { allocationsOf, excludedNodes, seesQueue, type State } from './state.js'

/** How a pool is, in a word for programs. */
export type Condition =
  | 'active'
  | 'paused'
  | 'backingOff'
  | 'draining'
  | 'outOfBudget'
  | 'slurmUnreachable'
  | 'schedulerUnreachable'
  | 'submitUnclear'
  | 'removed'

export function conditionOf(state: State, pool: Pool, atMs: number): Condition {
  if (pool.isRemoved) return 'removed'
  if (pool.pause) return 'paused'
  if (pool.scale.kind === 'draining') return 'draining'
  if (!seesQueue(state)) return 'slurmUnreachable'
  const { limit } = roomOf(state, pool, atMs)
  if (limit === 'unclear' && isUnclear(state, pool)) return 'submitUnclear'
  if (limit === 'backingOff') return 'backingOff'
  // Also when that is what keeps it from wanting more.
  if (limit === 'budget' || !hasBudgetFor(state, pool, 1)) return 'outOfBudget'
  return state.demandIsCurrent || pool.scale.kind === 'fixed' ? 'active' : 'schedulerUnreachable'
}

/** Why a pool has the workers that it has, in a few sentences for people. */
export function explainPool(state: State, pool: Pool, atMs: number): string {
  const { limits, desiredWorkers, pause, scale } = pool
  const own = allocationsOf(state, limits.name)
  const parts = [wish(state, pool), ...census(own)]
  const missing = allocationsFor(pool, desiredWorkers) - own.filter(isStaying).length
  if (pause) parts.push(`Paused by the ${pause.by === 'operator' ? 'operator' : 'provisioner'}: ${pause.reason}`)
  else if (scale.kind !== 'draining' && missing > 0) parts.push(obstacle(state, pool, missing, atMs))
  const reasons = new Set(own.flatMap(({ phase }) => (phase.kind === 'pending' ? [phase.reason] : [])))
  if (reasons.size > 0) parts.push(`SLURM's reason for waiting: ${[...reasons].map(inPlainWords).join('; ')}.`)
  const nodes = excludedNodes(state)
  if (nodes.length > 0) parts.push(`Left out because workers died there at their start: ${nodes.join(', ')}.`)
  if (limits.coreHours !== undefined) {
    const left = Math.max(0, coreHoursOf(remainingCoreMs(state, pool)))
    parts.push(
      `Of its ${limits.coreHours} core hours ${left.toFixed(2)} are left, counting what is under way with its whole walltime.`,
    )
  }
  return parts.join(' ')
}

function wish(state: State, { limits, desiredWorkers, scale, isRemoved }: Pool): string {
  const many = `${desiredWorkers} worker${desiredWorkers === 1 ? '' : 's'}`
  if (isRemoved) return `Pool ${limits.name} is not in the pools file any more: what it has is drained or cancelled.`
  if (scale.kind === 'draining') return `Pool ${limits.name} is being drained: no workers are wanted.`
  if (scale.kind === 'fixed') return `Pool ${limits.name} is held at ${many}.`
  const { demand, demandIsCurrent } = state
  if (demand === undefined) return `Pool ${limits.name} wants ${many}; the scheduler has not said yet what it demands.`
  const age = demandIsCurrent ? '' : ', as it was before the scheduler was lost'
  return (
    `Pool ${limits.name} wants ${many} (${limits.minWorkers} to ${limits.maxWorkers}) for a demand of ` +
    `${demand.wantedSlots} slot${demand.wantedSlots === 1 ? '' : 's'}${age}.`
  )
}

function census(own: readonly Allocation[]): string[] {
  if (own.length === 0) return ['It has no allocation.']
  const counts = new Map<string, number>()
  for (const { phase, cancel } of own) {
    const name = cancel ? 'being cancelled' : phase.kind
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [`Its allocations: ${[...counts].map(([name, count]) => `${count} ${name}`).join(', ')}.`]
}

function obstacle(state: State, pool: Pool, missing: number, atMs: number): string {
  const many = `${missing} allocation${missing === 1 ? '' : 's'}`
  if (!seesQueue(state)) {
    return `${many} are missing and wait until SLURM's queue can be seen (${state.queue.lastError ?? 'it was not asked yet'}).`
  }
  const { limits, lastRefusal } = pool
  switch (roomOf(state, pool, atMs).limit) {
    case 'backingOff': {
      const wait = `the next submit is in ${Math.ceil((pool.notBeforeMs - atMs) / 1000)} s`
      return lastRefusal
        ? `${many} are missing: SLURM refused (${lastRefusal.message}); ${lastRefusal.advice}; ${wait}.`
        : `${many} are missing, because others ended before their worker came up; ${wait}.`
    }
    case 'unclear':
      return isUnclear(state, pool)
        ? `${many} are missing and wait until it is clear whether SLURM took the last submit.`
        : `${many} are being submitted.`
    case 'maxPending':
      return `${many} more wait because ${limits.maxPending} are in the queue already (maxPending).`
    case 'maxJobs':
      return `${many} more wait because there are ${limits.maxJobs} jobs already (maxJobs).`
    case 'budget':
      return `${many} more wait because the budget in core hours is used up or spoken for.`
    default:
      return `${many} are submitted with the next look at the queue.`
  }
}

function isUnclear({ submissions }: State, { limits }: Pool): boolean {
  return [...submissions.values()].some(({ pool, status }) => pool === limits.name && status.kind === 'unclear')
}

const plainReasons: Readonly<Record<string, string>> = {
  Resources: 'it waits for free nodes',
  Priority: 'others come first',
  Dependency: 'it waits for another job',
  BeginTime: 'its start time has not come',
  JobHeldUser: 'somebody holds it; scontrol release lets it go',
  JobHeldAdmin: 'an administrator holds it',
  QOSMaxJobsPerUserLimit: 'the QOS lets no more of your jobs run',
  QOSMaxCpuPerUserLimit: 'the QOS lets you use no more CPUs',
  AssocMaxJobsLimit: 'your account lets no more jobs run',
  AssocGrpCpuLimit: 'your account may use no more CPUs',
  AssocGrpCPUMinutesLimit: 'your account has no CPU time left',
  QOSGrpCpuLimit: 'the QOS has no CPUs left',
  PartitionDown: 'the partition is down',
  PartitionInactive: 'the partition starts no jobs now',
  ReqNodeNotAvail: 'the nodes that it could use are away or reserved',
  JobArrayTaskLimit: 'the array lets no more of its tasks run',
}

/** SLURM's reason with what it means. */
export function inPlainWords(reason: string): string {
  const meaning = plainReasons[reason.split(/[ ,]/)[0] ?? '']
  return meaning === undefined ? reason : `${reason} (${meaning})`
}

/** How an allocation is, in one sentence for people. */
export function explainAllocation({ id, jobId, phase, cancel, restarts }: Allocation, atMs: number): string {
  const job = jobId === undefined ? '' : `, job ${jobId}`
  const again = restarts > 0 ? `, after ${restarts} restart${restarts === 1 ? '' : 's'} by SLURM` : ''
  const since = (sinceMs: number): string => `for ${Math.max(0, Math.round((atMs - sinceMs) / 1000))} s`
  const end = cancel ? `; it is to go: ${cancel.text}` : ''
  switch (phase.kind) {
    case 'submitted':
      return `Allocation ${id}${job} was submitted and is not seen in the queue yet${again}${end}.`
    case 'pending':
      return `Allocation ${id}${job} has waited in the queue ${since(phase.sinceMs)}: ${inPlainWords(phase.reason)}${again}${end}.`
    case 'running':
      return `Allocation ${id}${job} has run on ${phase.node} ${since(phase.sinceMs)}; no worker of it is at the scheduler${again}${end}.`
    case 'registered':
      return `Allocation ${id}${job} works on ${phase.node} with ${phase.workers.map(({ workerId }) => workerId).join(', ')}${again}${end}.`
    case 'draining':
      return `Allocation ${id}${job} leaves ${phase.node}: ${phase.reason}${again}${end}.`
    default:
      return phase satisfies never
  }
}
