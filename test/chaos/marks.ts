/** One run of a task, as it left its marks. */
export interface Run {
  readonly index: number
  readonly attempt: number
  readonly pid: number
  readonly startedAtMs: number
  /** Nothing when it did not come to its end. */
  endedAtMs: number | undefined
}

/** The runs of each task, in the order of their starts. */
export function readMarks(text: string): Map<number, Run[]> {
  const runs = new Map<number, Run[]>()
  for (const line of text.split('\n')) {
    const [what, ...numbers] = line.split(' ')
    const [index = NaN, attempt = NaN, pid = NaN, atMs = NaN] = numbers.map(Number)
    if (Number.isNaN(atMs)) continue
    const known = runs.get(index) ?? []
    runs.set(index, known)
    if (what === 'start') known.push({ index, attempt, pid, startedAtMs: atMs, endedAtMs: undefined })
    else {
      const run = known.find((other) => other.attempt === attempt && other.pid === pid && !other.endedAtMs)
      if (run) run.endedAtMs = atMs
    }
  }
  return runs
}
