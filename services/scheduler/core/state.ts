import type { JobId, ObjectId, SessionId, TaskFailure, WorkerId } from '#libs/domain'

import { type Archiving, createArchiving } from './archiving.js'
import type { FailedAttempts } from './failed-attempts.js'
import type { Demand } from './demand-class.js'
import { HolderLines, isLive } from './holder-lines.js'
import type { BundledFunction, JobParent, JobSpec, TaskSpec } from './job-spec.js'
import type { Lane, LaneGroup, QueuedTask } from './lane.js'
import { defaultPolicy, type Policy } from './policy.js'
import type { WorkerPulse } from './pulse.js'
import { createQueue, type Queue } from './queue.js'
import { TaskQueue } from './task-queue.js'
import { createVacancies, type Vacancies } from './vacancies.js'
import type { Confinement, HostStanding, Quarantine, Standing } from './standing.js'

/** Where a value is: small ones here, large ones with their holders. `descriptor` is opaque to the core. */
export type ResultLocation =
  | { readonly kind: 'inline'; readonly payload: Uint8Array }
  | { readonly kind: 'object'; readonly descriptor: Uint8Array; readonly byteLength: number }

/** How a task ended for good. */
export type Outcome =
  | { readonly kind: 'finished'; readonly result: ResultLocation }
  | { readonly kind: 'failed'; readonly failure: TaskFailure }

/** Which attempt settled a task, and when its code ran, by the worker's clock. */
export interface AttemptRecord {
  readonly attempt: number
  readonly workerId: WorkerId | undefined
  readonly slot: number
  readonly startedAtMs: number
  readonly endedAtMs: number
}

/** What is true of a task now; each variant owns its data. */
export type TaskStatus =
  | { readonly kind: 'waiting'; missing: number }
  /** Nothing is known to be missing, but it is not sent anywhere before this time. */
  | { readonly kind: 'delayed'; readonly untilMs: number; readonly why: DelayReason }
  | { readonly kind: 'queued'; readonly sinceMs: number }
  | (Placement & { readonly kind: 'assigned'; readonly sinceMs: number })
  | (Placement & { readonly kind: 'running'; readonly startedAtMs: number; readonly waits?: number })
  | AwaitingStatus
  | { readonly kind: 'settled'; readonly outcome: Outcome; readonly record: AttemptRecord }

/** On a worker, but without its slot: it waits for tasks that it submitted. */
export interface AwaitingStatus extends Placement {
  readonly kind: 'awaiting'
  readonly startedAtMs: number
  /** Its waits are numbered from 1 within the attempt: what is said of an earlier one comes late. */
  readonly waits: number
  readonly sinceMs: number
  /** Since when it has what it waited for, and wants its slot back. */
  readonly wokenAtMs: number | undefined
}

/**
 * Why a task is kept back: its last attempt failed and it is tried again (`retry`); an input could not be had (`inputs`);
 * after a restart it, or an input, may still be somewhere (`resync`).
 */
export type DelayReason = 'retry' | 'inputs' | 'resync'

/** Where a task is, and as which attempt. */
export interface Placement {
  readonly workerId: WorkerId
  readonly epoch: number
  readonly attempt: number
  /** How long it should run by what was measured of its kind; nothing when that is unknown or too long to queue behind. */
  readonly expectedMs: number | undefined
  /** The inputs that the same worker has yet to make: the task was sent ahead behind them. None for most. */
  behind: readonly Task[]
}

/** One call of a function on inputs; its result is the object with the task's id. */
export interface Task {
  readonly job: Job
  readonly index: number
  readonly spec: TaskSpec
  status: TaskStatus
  /** The last attempt that was opened; 0 before the first. */
  attempt: number
  /** How many attempts were lost with their worker. */
  losses: number
  /** It may have ended a worker, and runs alone until it is known whether it did. */
  suspect: boolean
  /** How the worker ended that the task was lost with, when somebody saw it. */
  lastEnd: WorkerEnd | undefined
  /** Its attempts that failed; nothing for most. */
  past: FailedAttempts | undefined
  /** How many attempts in a row could not get an input from its holders. */
  fetchFailures: number
  /** The last attempt may still run on a worker that was taken for lost, or from before a restart. */
  adoptable: boolean
  /** When the task became ready the last time. */
  readyAtMs: number
  /** Unsettled tasks of any job that take this one's result. */
  dependents: Set<Task> | undefined
  /** Workers that hold the result, when it is an object. */
  holders: Set<WorkerId> | undefined
  /** The blob of the checkpoint-store that has the result's bytes as well; nothing for most. */
  archive: string | undefined
  /** Nobody outside the graph wants the result any more. */
  released: boolean
  /** The jobs that it submitted, as far as they are known. */
  children: Set<Job> | undefined
}

/** How many tasks of a job are in each state. */
export interface TaskCounts {
  waiting: number
  queued: number
  running: number
  finished: number
  failed: number
  cancelled: number
}

export interface Job {
  readonly spec: JobSpec
  /** Jobs are numbered in the order of their submits. */
  readonly number: number
  /** What each of its functions is known by for run times. */
  readonly kinds: readonly string[]
  /** What its needs come to. */
  readonly demands: readonly Demand[]
  /** What tasks without needs come to. */
  readonly plainDemand: Demand
  /** The queued tasks of its family by what they need; only the first of a family has lanes. */
  readonly lanes: Map<LaneGroup, Lane>
  /** The task that submitted it, while that is known. */
  parent: Task | undefined
  /** The job at the beginning of its family, when it is another one: families take turns, and deep jobs come first within. */
  root: Job | undefined
  /** How many tasks of the family are on workers; counted by its first job. */
  onWorkers: number
  /** The attempt of the parent that asked for the job last. */
  askedBy: Pick<JobParent, 'epoch' | 'attempt'> | undefined
  readonly requestId: string
  readonly sessionId: SessionId | undefined
  readonly submittedAtMs: number
  readonly tasks: Task[]
  readonly counts: TaskCounts
  /** How many queued tasks of its family, other than suspects, have needs that come to each demand, by its key; counted by the first job. */
  readonly queuedByDemand: Map<string, number>
  /** The counts of all jobs together, which its own are part of. */
  readonly totals: TaskCounts
  /** How many results a client may still want. */
  unreleased: number
  /** What its arguments and inline results take, about. */
  bytes: number
  settledAtMs: number | undefined
  cancelled: boolean
  persistedAs: string | undefined
  /** How many retries its tasks had together. */
  retries: number
  /** Sessions that hear of the job's settles. */
  readonly followers: Set<SessionId>
}

/** What is known of a settled job whose results are kept no longer. */
export interface JobRecord {
  readonly spec: Pick<JobSpec, 'jobId' | 'name' | 'trace' | 'detached' | 'parent'>
  readonly number: number
  readonly counts: Readonly<TaskCounts>
  readonly submittedAtMs: number
  readonly settledAtMs: number
  readonly cancelled: boolean
}

/** A buffer that a client scattered to workers. */
export interface ScatteredObject {
  readonly objectId: ObjectId
  readonly sessionId: SessionId | undefined
  readonly descriptor: Uint8Array
  readonly byteLength: number
  readonly holders: Set<WorkerId>
  /** The blob of the checkpoint-store that has its bytes as well; nothing for most. */
  archive: string | undefined
  dependents: Set<Task> | undefined
  released: boolean
}

/** What a worker says of itself when it joins. */
export interface WorkerProfile {
  readonly workerId: WorkerId
  readonly host: string
  readonly pid: number
  readonly slots: number
  readonly addresses: readonly string[]
  readonly memoryLimitBytes: number
  /** Where its tasks run. */
  readonly executor: 'thread' | 'process'
  /** What it offers beside slots and memory, such as `gpu` and licences. */
  readonly resources?: Readonly<Record<string, number>>
  /** Where a provisioner started it. */
  readonly allocation?: WorkerAllocation
  /** When it will be ended, whatever it runs. */
  readonly endsAtMs?: number
}

/** One job of a batch system, in the life of a provisioner's pool. */
export type WorkerAllocation = Readonly<Record<'pool' | 'allocationId' | 'jobId', string> & { restarts: number }>

/** How a worker's process ended, as its supervisor saw it. */
export interface WorkerEnd {
  readonly workerId: WorkerId
  /** Nothing when a signal ended it. */
  readonly exitCode?: number
  readonly signal?: string
  /** Its resident memory and the limit, when it was ended for that. */
  readonly memory?: { readonly bytes: number; readonly limitBytes: number }
}

export interface Worker {
  profile: WorkerProfile
  /** What it was sent and has not settled, in the order of sending. */
  readonly tasks: Set<Task>
  /** How many of them are of a long or unknown kind. */
  longTasks: number
  /** How long the others should run, all together. */
  shortMs: number
  /** How many of its tasks wait for inputs that it has yet to make. They take no slot before, and count nowhere else. */
  followers: number
  /** How long those should run, all together. */
  followersMs: number
  /** Those of its tasks that another one may be sent behind. */
  readonly tails: Set<Task>
  /** How many slots its tasks take beyond one each. */
  extraSlots: number
  /** What its tasks take beside slots, by name. */
  readonly used: Map<string, number>
  /** Only tasks of this shape are sent to it, until it had room for one. */
  keptFor: string | undefined
  /** What it was asked to give back unless it has started. */
  readonly recalled: Set<Task>
  /** What waits there for tasks that it submitted, without a slot. */
  readonly awaiting: Set<Task>
  /** Those of them that want their slot back, in the order of asking: nothing new is sent there before they have it. */
  readonly woken: Set<Task>
  /** How many of its tasks are suspects: with one of them it gets no others. */
  suspects: number
  /** It gets nothing before the next suspect. */
  reserved: boolean
  readonly objects: Set<ObjectId>
  draining: boolean
  /** It failed so often that it gets no tasks for a while. */
  quarantine: Quarantine | undefined
  /** What went wrong on it lately; nothing for most. */
  standing: Standing | undefined
  /** Since when its link is cut; nothing while it is linked. It gets no tasks meanwhile. */
  unlinkedSinceMs: number | undefined
  /** What it said of itself last. */
  pulse: WorkerPulse
  heardAtMs: number
}

export interface Session {
  readonly sessionId: SessionId
  /** Since when nobody speaks for the session; nothing while somebody does. */
  goneSinceMs: number | undefined
}

/** A worker as it was when somebody asked. */
export interface WorkerView extends Pick<Worker, 'profile' | 'draining' | 'pulse'> {
  readonly quarantine?: Quarantine
  readonly taskCount: number
  /** How many more wait there, without a slot, for tasks that they submitted. */
  readonly awaitingCount?: number
  readonly objectCount: number
  /** What its tasks take, by resource. */
  readonly used?: Readonly<Record<string, number>>
}

/** The first answer to a mutating request, for its duplicates. That of a submit is with its job. */
export interface RememberedAnswer {
  readonly atMs: number
  /** What was asked, by its kind and what it names: another request under the same id is a mistake. */
  readonly request: string
  readonly jobId?: JobId
  readonly worker?: WorkerView
}

/** Everything that the scheduler knows. Mutated in place by `decide` and `apply`, by nobody else. */
export interface State {
  readonly policy: Policy
  epoch: number
  // Durable: rebuilt by apply(fact).
  readonly jobs: Map<JobId, Job>
  readonly jobsByRequest: Map<string, JobId>
  jobsSubmitted: number
  /** What the specs of all unsettled tasks take. */
  unsettledBytes: number
  /** Answers by request, in the order of answering. */
  readonly requests: Map<string, RememberedAnswer>
  /** Jobs whose results are kept no longer, in the order in which that came to be. */
  readonly history: Map<JobId, JobRecord>
  readonly objects: Map<ObjectId, ScatteredObject>
  readonly registeredTasks: Map<string, BundledFunction>
  readonly persisted: Map<string, JobId>
  /** Jobs that have a deadline. */
  readonly deadlines: Set<Job>
  /** Jobs of which a task failed, and the rest is to be cancelled. */
  readonly failing: Set<Job>
  /** Settled tasks whose jobs are to end with them. */
  readonly bereft: Set<Task>
  /** Workers that are there, or were when the scheduler's process before this one ended; with what keeps tasks from one. */
  readonly attached: Map<WorkerId, Confinement | undefined>
  /** Hosts whose workers get no tasks for a while. */
  readonly confinedHosts: Map<string, Confinement>
  // Relearned: workers and clients attach again.
  readonly counts: TaskCounts
  readonly workers: Map<WorkerId, Worker>
  readonly vacancies: Vacancies
  /** Hosts on which something went wrong lately. */
  readonly hosts: Map<string, HostStanding>
  readonly sessions: Map<SessionId, Session>
  /** Workers on which a task may be sent behind another one, since something changed there. */
  readonly extendable: Set<Worker>
  /** The workers with room for tasks that take more than a slot, by shape. */
  readonly rooms: Map<string, Vacancies>
  readonly queue: TaskQueue
  /** Queued tasks that must run alone. */
  readonly suspects: Queue<QueuedTask>
  /** Queued tasks that wait for slots of workers which hold their inputs. */
  readonly holderLines: HolderLines
  /** Workers where tasks want their slots back. */
  readonly waking: Set<Worker>
  /** The worker that gets nothing before the next of them. */
  reserved: Worker | undefined
  /** Tasks that are or were delayed. */
  readonly delayed: Set<Task>
  /** What is on its way to the checkpoint-store, and what is to go from there. */
  readonly archiving: Archiving
  /** Smoothed run time of each function in milliseconds, by bundle and name. */
  readonly meanRunMs: Map<string, number>
  /** Those of them that saved a checkpoint. */
  readonly checkpointingKinds: Set<string>
  /** Functions that waited for tasks which they submitted, and how many of each ended since. */
  readonly waitingKinds: Map<string, number>
  /** Workers from before a restart that are not back yet. */
  readonly awaited: Set<WorkerId>
  /** Until when they are waited for; nothing when they are not. */
  resyncUntilMs: number | undefined
  tickedAtMs: number | undefined
  /** When was looked last for tasks that wait on one worker while another is idle. */
  rebalancedAtMs: number
}

export function createState(policy: Policy = defaultPolicy): State {
  const workers = new Map<WorkerId, Worker>()
  return {
    policy,
    epoch: 0,
    jobs: new Map(),
    jobsByRequest: new Map(),
    jobsSubmitted: 0,
    unsettledBytes: 0,
    requests: new Map(),
    history: new Map(),
    objects: new Map(),
    registeredTasks: new Map(),
    persisted: new Map(),
    deadlines: new Set(),
    failing: new Set(),
    bereft: new Set(),
    waking: new Set(),
    attached: new Map(),
    confinedHosts: new Map(),
    counts: { waiting: 0, queued: 0, running: 0, finished: 0, failed: 0, cancelled: 0 },
    workers,
    vacancies: createVacancies(workers),
    hosts: new Map(),
    sessions: new Map(),
    extendable: new Set(),
    rooms: new Map(),
    queue: new TaskQueue(),
    suspects: createQueue(isLive),
    holderLines: new HolderLines(),
    reserved: undefined,
    delayed: new Set(),
    archiving: createArchiving(),
    meanRunMs: new Map(),
    checkpointingKinds: new Set(),
    waitingKinds: new Map(),
    awaited: new Set(),
    resyncUntilMs: undefined,
    tickedAtMs: undefined,
    rebalancedAtMs: -Infinity,
  }
}
