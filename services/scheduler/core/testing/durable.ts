import type { State, TaskStatus } from '../state.js'

/**
 * The part of the state that a restart must know, and that facts alone rebuild: epoch; jobs with what was submitted, how
 * each task settled, its failed attempts and losses, whether it must run alone and whether its result was released, whether the job is cancelled, pinned or settled;
 * requests; registered tasks; scattered buffers; workers; quarantines. Everything else is relearned from workers and clients, or derived.
 */
export function durablePartOf(state: State): unknown {
  return {
    epoch: state.epoch,
    jobsSubmitted: state.jobsSubmitted,
    jobs: [...state.jobs.values()].map((job) => ({
      spec: job.spec,
      number: job.number,
      requestId: job.requestId,
      sessionId: job.sessionId,
      submittedAtMs: job.submittedAtMs,
      settledAtMs: job.settledAtMs,
      cancelled: job.cancelled,
      persistedAs: job.persistedAs,
      retries: job.retries,
      unreleased: job.unreleased,
      bytes: job.bytes,
      tasks: job.tasks.map(({ status, losses, suspect, past, released, archive }) => ({
        settled: settledPart(status),
        losses,
        suspect,
        past,
        released,
        archive,
      })),
    })),
    history: [...state.history.values()],
    jobsByRequest: [...state.jobsByRequest],
    unsettledBytes: state.unsettledBytes,
    requests: [...state.requests],
    settled: {
      finished: state.counts.finished,
      failed: state.counts.failed,
      cancelled: state.counts.cancelled,
      open: state.counts.waiting + state.counts.queued + state.counts.running,
    },
    objects: [...state.objects.values()].map(({ objectId, sessionId, descriptor, byteLength, released, archive }) => ({
      objectId,
      sessionId,
      descriptor,
      byteLength,
      released,
      archive,
    })),
    registeredTasks: [...state.registeredTasks],
    persisted: [...state.persisted],
    attached: [...state.attached].sort(([a], [b]) => (a < b ? -1 : 1)),
    confinedHosts: [...state.confinedHosts].sort(([a], [b]) => (a < b ? -1 : 1)),
  }
}

function settledPart(status: TaskStatus): unknown {
  return status.kind === 'settled' ? { outcome: status.outcome, record: status.record } : 'open'
}
