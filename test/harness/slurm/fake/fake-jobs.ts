/** A job, or one task of an array, in the fake's controller. */
export interface FakeJob {
  /** As people write it: `12`, or `12_3`. */
  readonly id: string
  readonly arrayId: number
  /** Which task of its array; undefined for a job that is no array. */
  readonly task: number | undefined
  readonly name: string
  readonly comment: string
  /** Whose it is. */
  readonly uid: number
  readonly script: string
  readonly submittedAtS: number
  state: string
  reason: string
  node: string
  /** As wait(2) gives it: 768 is exit code 3, 9 is SIGKILL. */
  exitStatus: number
  restarts: number
  startedAtS: number | undefined
  endedAtS: number | undefined
}

/** What the controller remembers: jobs by number, handed out one after the other. */
export class FakeJobs {
  /** The number of the next job. A controller that lost its state hands out some a second time. */
  nextNumber = 1
  #jobs: FakeJob[] = []

  get all(): readonly FakeJob[] {
    return this.#jobs
  }

  /** Takes a script as sbatch gives it; `arrayIndices` are those of --array, empty for a job that is none. */
  submit(script: string, arrayIndices: readonly number[], uid: number): FakeJob[] {
    const arrayId = this.nextNumber++
    const options = directivesOf(script)
    const tasks = arrayIndices.length === 0 ? [undefined] : arrayIndices
    const jobs = tasks.map((task): FakeJob => ({
      id: task === undefined ? `${arrayId}` : `${arrayId}_${task}`,
      arrayId,
      task,
      name: options.get('job-name') ?? 'sbatch',
      comment: options.get('comment') ?? '',
      uid,
      script,
      submittedAtS: nowS(),
      state: 'PENDING',
      reason: 'Priority',
      node: '',
      exitStatus: 0,
      restarts: 0,
      startedAtS: undefined,
      endedAtS: undefined,
    }))
    this.#jobs.push(...jobs)
    return jobs
  }

  /** Jobs of somebody else, or of somebody's other work: pending ones, that say nothing of a mesh. */
  addForeign(count: number, uid: number): void {
    for (let k = 0; k < count; k++) {
      const [job] = this.submit('#!/bin/sh\n#SBATCH --job-name=foreign\n', [], uid)
      job!.reason = 'Resources'
    }
  }

  /** @throws Error when there is no such job. */
  find(id: string): FakeJob {
    const found = this.#jobs.find((job) => job.id === id)
    if (found === undefined) throw new Error(`the fake has no job ${id}`)
    return found
  }

  start(id: string, node = 'node1'): void {
    Object.assign(this.find(id), { state: 'RUNNING', reason: 'None', node, startedAtS: nowS() })
  }

  end(id: string, state: string, exitStatus = 0): void {
    const reason = state === 'FAILED' ? 'NonZeroExitCode' : 'None'
    Object.assign(this.find(id), { state, reason, exitStatus, endedAtS: nowS() })
  }

  /** Back into the queue, as after the loss of its node. */
  requeue(id: string): void {
    const job = this.find(id)
    Object.assign(job, { state: 'PENDING', reason: 'BeginTime', node: '', restarts: job.restarts + 1 })
  }

  /** As if it had never been there: a controller that died before it saved, or a record that is too old. */
  forget(id: string): void {
    this.#jobs = this.#jobs.filter((job) => job.id !== id)
  }

  /** What scancel does; ids that are not there, or ended before, are passed over in silence. */
  cancel(words: readonly string[]): void {
    const alive = this.#jobs.filter(({ state }) => state === 'PENDING' || state === 'RUNNING')
    for (const job of alive) {
      if (words.includes(job.id) || words.includes(String(job.arrayId))) this.end(job.id, 'CANCELLED')
    }
  }
}

/** The `#SBATCH --name=value` lines of a script. */
export function directivesOf(script: string): Map<string, string> {
  const lines = script.split('\n').flatMap((line) => /^#SBATCH --([a-z-]+)(?:=(.*))?$/.exec(line)?.slice(1, 3) ?? [])
  const options = new Map<string, string>()
  for (let k = 0; k < lines.length; k += 2) options.set(lines[k]!, (lines[k + 1] ?? '').replace(/^"(.*)"$/, '$1'))
  return options
}

/** The indices that `0-3`, `1,5` or `0-9%2` mean. */
export function arrayIndicesOf(text: string): number[] {
  return text
    .replace(/%\d+$/, '')
    .split(',')
    .flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, k) => first + k)
    })
}

function nowS(): number {
  return Math.floor(Date.now() / 1_000)
}
