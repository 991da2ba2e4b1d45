/** Limits and graces that the core goes by. */
export interface Policy {
  /** An attached job whose session is gone longer is cancelled. */
  readonly orphanGraceMs: number
  /** A worker that was not heard of for longer is lost. */
  readonly workerSilenceMs: number
  /** A worker whose link is cut may come back within this; then it is lost. */
  readonly relinkGraceMs: number
  /** After a restart, what ran and was held before is taken for there this long. */
  readonly resyncGraceMs: number
  /** Between two ticks no more time than this counts against anybody: in the rest the scheduler itself stood still. */
  readonly longestTickMs: number
  /** A task that was lost with its worker more often fails. */
  readonly maxLosses: number
  /** A task whose inputs could not be fetched waits this long, then twice as long each time. */
  readonly firstFetchDelayMs: number
  /** A task whose inputs could not be fetched more often in a row fails. */
  readonly maxFetchFailures: number
  /** So many different tasks in a row that fail by no fault of theirs put a worker, or a host, in quarantine. */
  readonly quarantineAfter: number
  /** How long it gets no tasks the first time; then twice as long each time. */
  readonly firstQuarantineMs: number
  readonly maxQuarantineMs: number
  /** Small results travel with the command that runs the task; more than this does not fit into one. */
  readonly maxInlineInputBytes: number
  /** Once nobody holds them, the results of a settled job are kept this long. */
  readonly resultTtlMs: number
  /** A record of a settled job is kept this long. */
  readonly historyTtlMs: number
  /** The results of settled jobs beyond this number are forgotten, the oldest first, once nobody holds them. */
  readonly maxSettledJobs: number
  /** So do those whose results were given up, beyond so many tasks together: a record takes about a kilobyte. */
  readonly maxSettledTasks: number
  /** No job is taken that would make more unsettled tasks than this, or whose specs would make more bytes. */
  readonly maxUnsettledTasks: number
  readonly maxUnsettledBytes: number
  /** So many levels of tasks may submit tasks: a recursion without an end ends there. */
  readonly maxJobDepth: number
  /** How long, and how many, answers are remembered for duplicates. */
  readonly rememberMs: number
  readonly rememberRequests: number
  /** The same when all settled jobs that nobody holds take more than this. */
  readonly maxSettledBytes: number
  /** Records beyond this number are forgotten, the oldest first. */
  readonly maxJobRecords: number
  /** A task that waits longer for what none of the workers there can ever offer fails; 0 for never. */
  readonly unschedulableMs: number
  /** A result of at least so many bytes goes to the checkpoint-store when no task is waiting for it; `Infinity` for none. */
  readonly durableResultBytes: number
  /** The same of jobs whose results nobody holds, or that are to be kept: detached and pinned ones. */
  readonly durableDetachedBytes: number
  /** What should be there and is not is asked for again after so long. */
  readonly archiveAgainMs: number
}

export const defaultPolicy: Policy = {
  orphanGraceMs: 60_000,
  workerSilenceMs: 30_000,
  relinkGraceMs: 2_000,
  resyncGraceMs: 5_000,
  longestTickMs: 1_000,
  maxLosses: 3,
  // All delays together are longer than the silence after which a holder is lost and its objects are computed again.
  firstFetchDelayMs: 250,
  maxFetchFailures: 8,
  quarantineAfter: 3,
  firstQuarantineMs: 30_000,
  maxQuarantineMs: 30 * 60_000,
  maxInlineInputBytes: 8 * 2 ** 20,
  resultTtlMs: 24 * 3_600_000,
  historyTtlMs: 30 * 24 * 3_600_000,
  maxSettledJobs: 1_000,
  maxSettledTasks: 200_000,
  maxUnsettledTasks: 5_000_000,
  maxUnsettledBytes: 2 * 2 ** 30,
  maxJobDepth: 1_000,
  rememberMs: 3_600_000,
  rememberRequests: 100_000,
  maxSettledBytes: 256 * 2 ** 20,
  maxJobRecords: 10_000,
  unschedulableMs: 600_000,
  durableResultBytes: Infinity,
  durableDetachedBytes: 0,
  archiveAgainMs: 10_000,
}
