import type { JobTimes } from './job-times.js'
import type { TaskPhases } from './task-phases.js'

/** A task on the critical path. */
export interface CriticalStep {
  readonly taskId: string
  readonly name: string
  readonly workerId: string
  readonly transferMs: number
  readonly computeMs: number
  /** From when it was ready until it ran, transfers apart: what a free slot would have saved. */
  readonly waitMs: number
}

/** The longest chain of tasks each of which takes the result of the one before, or was submitted by it. */
export interface CriticalPath {
  /** Transfers and computing of its tasks: no number of workers makes the job shorter. */
  readonly lengthMs: number
  readonly stepCount: number
  /** In their order; of a long path only the first and the last ones. */
  readonly steps: readonly CriticalStep[]
}

const mostSteps = 200

interface Link {
  readonly step: CriticalStep
  /** The step before; nothing for a first one. */
  readonly before: Link | undefined
  readonly lengthMs: number
  readonly count: number
}

/**
 * The critical path of a job with those that its tasks submitted: a task's length is its transfer and its computing (without its
 * wait for children); what it takes results of comes before it, and the children that it waited for count as a part of it.
 */
export function findCriticalPath(
  family: readonly JobTimes[],
  phases: ReadonlyMap<JobTimes, readonly (TaskPhases | undefined)[]>,
): CriticalPath {
  const byId = new Map(family.map((job) => [job.jobId, job]))
  const known = new Map<JobTimes, Link | undefined>()

  /** The longest path within the job, behind `start`; its children are walked first. */
  function walk(job: JobTimes): void {
    const links = new Map<number, Link>()
    let longest: Link | undefined
    // A task takes results of tasks with lower indices only.
    for (const [nth, task] of job.tasks.entries()) {
      const own = phases.get(job)?.[nth]
      if (own === undefined) continue
      const { transfer, compute, queue, dispatch } = own.ms
      const step: CriticalStep = {
        taskId: `${job.jobId}/${task.index}`,
        name: task.name,
        workerId: task.workerId,
        transferMs: transfer,
        computeMs: compute,
        waitMs: queue + dispatch,
      }
      let before: Link | undefined
      for (const index of task.inputs) before = longer(before, links.get(index))
      let link = appended(before, step)
      const children = task.childJobIds.flatMap((id) => known.get(byId.get(id) as JobTimes) ?? [])
      const child = children.reduce<Link | undefined>(longer, undefined)
      if (child) link = concatenated(link, child)
      links.set(task.index, link)
      longest = longer(longest, link)
    }
    known.set(job, longest)
  }

  // Children come after their parents in the family.
  for (const job of [...family].reverse()) walk(job)
  const [first] = family
  const end = first && known.get(first)
  const steps = [...stepsOf(end)].reverse()
  const shown = steps.length > mostSteps ? [...steps.slice(0, mostSteps / 2), ...steps.slice(-mostSteps / 2)] : steps
  return { lengthMs: end?.lengthMs ?? 0, stepCount: end?.count ?? 0, steps: shown }
}

function longer(a: Link | undefined, b: Link | undefined): Link | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return b.lengthMs > a.lengthMs ? b : a
}

function appended(before: Link | undefined, step: CriticalStep): Link {
  const lengthMs = (before?.lengthMs ?? 0) + step.transferMs + step.computeMs
  return { step, before, lengthMs, count: (before?.count ?? 0) + 1 }
}

/** The one path behind the other. */
function concatenated(head: Link, tail: Link): Link {
  return [...stepsOf(tail)].reduceRight(appended, head)
}

function* stepsOf(end: Link | undefined): Generator<CriticalStep> {
  for (let link = end; link; link = link.before) yield link.step
}
