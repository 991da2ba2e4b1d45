import { findClockOffsets } from './clock-offsets.js'
import { type CriticalPath, findCriticalPath } from './critical-path.js'
import type { CpuSamples } from './sampling/cpu-samples.js'
import type { JobTimes, TaskTimes, WorkerFacts } from './job-times.js'
import { type PhaseName, phaseNames, phasesOfTasks, type TaskPhases } from './task-phases.js'

/** What the tasks of a job spent in a phase; `gather` is what its client did once. */
export interface ProfilePhase {
  readonly name: PhaseName | 'gather'
  /** All tasks together. */
  readonly totalMs: number
  readonly medianMs: number
  readonly maxMs: number
  /** How many tasks spent time in it. */
  readonly tasks: number
}

/** What a worker did for a job, and its memory when the profile was made; memory is absent when the worker is gone. */
export interface ProfileWorker {
  readonly workerId: string
  readonly host?: string
  /** Those it has, or those that ran tasks when it is gone. */
  readonly slots: number
  readonly tasks: number
  readonly computeMs: number
  /** Computing ÷ (wall time × slots). */
  readonly busyShare: number
  /** Of large inputs and results of its tasks. */
  readonly inputBytes: number
  readonly resultBytes: number
  readonly memory?: {
    readonly rssBytes: number
    /** The most since the worker was started, whichever job it was for; 0 when that is not known. */
    readonly peakRssBytes: number
    readonly heldBytes: number
    readonly spilledBytes: number
  }
}

/** Where the time of a job went. */
export interface JobProfile {
  readonly jobId: string
  readonly name: string
  /** Whether all its tasks are settled; else this is how far it is. */
  readonly isSettled: boolean
  /** How many jobs: this one and those that its tasks submitted, all of which count. */
  readonly jobs: number
  readonly tasks: number
  /** How many of them ran to their end, and how many needed more than one attempt. */
  readonly ranTasks: number
  readonly retriedTasks: number
  /** From the submit to the last settle, or until now, and what the gather took after that. */
  readonly wallMs: number
  readonly phases: readonly ProfilePhase[]
  /** All tasks together: what one worker with one slot would need, one task after the other. */
  readonly computeMs: number
  /** Computing ÷ wall time. */
  readonly speedUp: number
  /** Slots of the workers that are there, or ran tasks of the job; and how many of them ran any. */
  readonly slots: number
  readonly usedSlots: number
  /** Speed-up ÷ slots. */
  readonly efficiency: number
  /** Computing ÷ the critical path: no number of workers gives a greater speed-up. */
  readonly parallelism: number
  readonly criticalPath: CriticalPath
  readonly workers: readonly ProfileWorker[]
  /** Where the processor time went, when the job was submitted with `profile: 'cpu'`; `flameGraph` draws it. */
  readonly cpu?: CpuSamples
  /** What the figures do not say by themselves, for people. */
  readonly notes: readonly string[]
}

/** What there is to know beside the times of the tasks. */
export interface ProfileSurroundings {
  readonly workers: readonly WorkerFacts[]
  /** How long the gather of the results took after the last settle, when that is known. */
  readonly gatherMs: number | undefined
  /** By the scheduler's clock, for a job that is not settled. */
  readonly nowMs: number
  readonly cpu?: CpuSamples | undefined
  readonly notes?: readonly string[]
}

/** The profile of a job. The family is the job itself, then the jobs that its tasks submitted, each after its parent. */
export function profileJob(family: readonly [JobTimes, ...JobTimes[]], around: ProfileSurroundings): JobProfile {
  const [job] = family
  const offsets = findClockOffsets(family)
  const phases = new Map(family.map((each) => [each, phasesOfTasks(each, offsets)]))
  const ran = family.flatMap((each) =>
    each.tasks.flatMap((task, nth) => {
      const own = phases.get(each)?.[nth]
      return own ? [{ task, own }] : []
    }),
  )
  const { gatherMs } = around
  const wallMs = Math.max(0, (job.settledAtMs ?? around.nowMs) - job.submittedAtMs) + (gatherMs ?? 0)
  const computeMs = sumOf(ran.map(({ own }) => own.ms.compute))
  const criticalPath = findCriticalPath(family, phases)
  const workers = profileWorkers(ran, around.workers, wallMs)
  const slots = sumOf(workers.map(({ slots }) => slots))
  const speedUp = quotient(computeMs, wallMs)
  return {
    jobId: job.jobId,
    name: job.name,
    isSettled: job.settledAtMs !== undefined,
    jobs: family.length,
    tasks: sumOf(family.map(({ tasks }) => tasks.length)),
    ranTasks: ran.length,
    retriedTasks: ran.filter(({ task }) => task.attempt > 1).length,
    wallMs,
    phases: [
      ...phaseNames.flatMap((name) => summarise(name, ran)),
      ...(gatherMs === undefined
        ? []
        : [{ name: 'gather' as const, totalMs: gatherMs, medianMs: gatherMs, maxMs: gatherMs, tasks: 1 }]),
    ],
    computeMs,
    speedUp,
    slots,
    usedSlots: new Set(ran.map(({ task }) => `${task.workerId} ${task.slot}`)).size,
    efficiency: quotient(speedUp, slots),
    parallelism: quotient(computeMs, criticalPath.lengthMs),
    criticalPath,
    workers,
    ...(around.cpu && { cpu: around.cpu }),
    notes: [...(around.notes ?? []), ...notesOf(job, ran, offsets, gatherMs)],
  }
}

interface RanTask {
  readonly task: TaskTimes
  readonly own: TaskPhases
}

function summarise(name: PhaseName, ran: readonly RanTask[]): ProfilePhase[] {
  const times = ran.map(({ own }) => own.ms[name]).sort((a, b) => a - b)
  const totalMs = sumOf(times)
  if (totalMs === 0 && name !== 'compute') return []
  const middle = times.length / 2
  const medianMs = times.length === 0 ? 0 : ((times[Math.ceil(middle) - 1] ?? 0) + (times[Math.floor(middle)] ?? 0)) / 2
  return [{ name, totalMs, medianMs, maxMs: times.at(-1) ?? 0, tasks: times.filter((ms) => ms > 0).length }]
}

function profileWorkers(ran: readonly RanTask[], present: readonly WorkerFacts[], wallMs: number): ProfileWorker[] {
  const byWorker = new Map<string, RanTask[]>(present.map(({ id }) => [id, []]))
  for (const each of ran) {
    const known = byWorker.get(each.task.workerId)
    if (known) known.push(each)
    else byWorker.set(each.task.workerId, [each])
  }
  return [...byWorker].map(([workerId, own]): ProfileWorker => {
    const facts = present.find(({ id }) => id === workerId)
    const computeMs = sumOf(own.map(({ own: { ms } }) => ms.compute))
    const slots = facts?.slots ?? new Set(own.map(({ task }) => task.slot)).size
    return {
      workerId,
      ...(facts && { host: facts.host }),
      slots,
      tasks: own.length,
      computeMs,
      busyShare: quotient(computeMs, wallMs * slots),
      inputBytes: sumOf(own.map(({ task }) => task.inputBytes)),
      resultBytes: sumOf(own.map(({ task }) => task.resultBytes)),
      ...(facts && { memory: memoryOf(facts) }),
    }
  })
}

function memoryOf({
  rssBytes,
  peakRssBytes,
  heldBytes,
  spilledBytes,
}: WorkerFacts): NonNullable<ProfileWorker['memory']> {
  return { rssBytes, peakRssBytes, heldBytes, spilledBytes }
}

/** Less is what the clock of one machine says in two processes. */
const notableOffsetMs = 5

function notesOf(
  job: JobTimes,
  ran: readonly RanTask[],
  offsets: ReadonlyMap<string, number>,
  gatherMs: number | undefined,
): string[] {
  const partial = ran.filter(({ own }) => !own.isWhole).length
  const skewed = [...offsets].filter(([, offsetMs]) => Math.abs(offsetMs) > notableOffsetMs)
  const furthest = Math.max(0, ...skewed.map(([, offsetMs]) => Math.abs(offsetMs)))
  return [
    ...(job.settledAtMs === undefined ? ['the job is not settled: these are its figures so far'] : []),
    ...(partial > 0
      ? [
          `queue and dispatch of ${partial} of ${ran.length} tasks are forgotten: the scheduler was restarted, or remembers what is newer`,
        ]
      : []),
    ...(skewed.length > 0
      ? [
          `the clocks of ${skewed.length} workers differ from the scheduler's by up to ${furthest.toFixed(0)} ms, which is taken out`,
        ]
      : []),
    ...(gatherMs === undefined && job.settledAtMs !== undefined
      ? ['what the gather took is not known here: only the program that gathers measures it']
      : []),
  ]
}

function quotient(a: number, b: number): number {
  return b > 0 ? a / b : 0
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
