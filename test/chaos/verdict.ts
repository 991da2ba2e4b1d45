import type { HeardSettle } from './job-client.js'
import type { Run } from './marks.js'

/** Everything that a storm left behind. */
export interface Remains {
  readonly tasks: number
  readonly runs: ReadonlyMap<number, readonly Run[]>
  /** What each client heard; each in the order of hearing. */
  readonly heard: readonly (readonly HeardSettle[])[]
  /** When the scheduler was killed. */
  readonly killedAtMs: readonly number[]
  readonly killedWorkers: ReadonlySet<number>
}

export interface Verdict {
  /** What was promised and did not come true. */
  readonly complaints: readonly string[]
  /** How many runs went on through a death of the scheduler and settled their tasks. */
  readonly adopted: number
  /** How many tasks were run again because their worker was killed. */
  readonly runAgain: number
}

/** Whether every promise about the tasks was kept. */
export function judge({ tasks, runs, heard, killedAtMs, killedWorkers }: Remains): Verdict {
  const complaints: string[] = []
  const settles = firstSettles(heard, complaints)
  let adopted = 0
  let runAgain = 0
  for (let index = 0; index < tasks; index++) {
    const settle = settles.get(index)
    if (settle === undefined) {
      complaints.push(`task ${index} was lost: nobody heard how it ended`)
      continue
    }
    if (settle.value !== index * 2) complaints.push(`task ${index} gave ${String(settle.value)}`)
    const own = runs.get(index) ?? []
    const spared = own.filter(({ pid }) => !killedWorkers.has(pid))
    if (own.length > 1) runAgain++
    if (spared.length > 1) complaints.push(`task ${index} was run ${spared.length} times by workers that lived`)
    for (const { startedAtMs, attempt } of own) {
      if (startedAtMs > settle.heardAtMs)
        complaints.push(`task ${index} was settled and then run as attempt ${attempt}`)
    }
    // Attempts are counted anew in each epoch: an earlier one of this number may have died with its worker.
    const sameAttempt = own.filter(({ attempt }) => attempt === settle.attempt)
    const counted = sameAttempt.find(({ endedAtMs }) => endedAtMs !== undefined) ?? sameAttempt[0]
    if (counted === undefined) complaints.push(`attempt ${settle.attempt} settled task ${index}, and it never ran`)
    else if (counted.endedAtMs === undefined) complaints.push(`task ${index} was settled by a run that did not end`)
    else if (killedAtMs.some((atMs) => counted.startedAtMs < atMs && atMs < (counted.endedAtMs ?? 0))) adopted++
  }
  return { complaints, adopted, runAgain }
}

/** When each task's settle was heard first. Nobody may ever hear another one. */
function firstSettles(heard: Remains['heard'], complaints: string[]): Map<number, HeardSettle> {
  const settles = new Map<number, HeardSettle>()
  for (const settle of heard.flat().sort((a, b) => a.heardAtMs - b.heardAtMs)) {
    const first = settles.get(settle.index)
    if (first === undefined) settles.set(settle.index, settle)
    else if (describe(first) !== describe(settle)) {
      complaints.push(`task ${settle.index} was settled twice: ${describe(first)}, then ${describe(settle)}`)
    }
  }
  return settles
}

function describe({ value, attempt, startedAtMs }: HeardSettle): string {
  return `${String(value)} by attempt ${attempt}, started at ${startedAtMs}`
}
