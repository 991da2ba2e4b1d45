import type { TaskSpec } from '../core/job-spec.js'

type Rest = Omit<TaskSpec, 'input'>

/** Tasks by column: all inputs in one piece, and whatever else a task has once for those that have the same. */
export interface TaskColumns {
  readonly inputs: Uint8Array
  readonly inputEnds: Uint32Array
  readonly rests: readonly Rest[]
}

/** Neighbours mostly differ by their inputs only; the format writes an object that comes again as a reference. */
export function packTasks(tasks: readonly TaskSpec[]): TaskColumns {
  const inputEnds = new Uint32Array(tasks.length)
  let end = 0
  for (const [index, { input }] of tasks.entries()) inputEnds[index] = end += input.byteLength
  const inputs = new Uint8Array(end)
  const rests: Rest[] = []
  let last: TaskSpec | undefined
  for (const [index, task] of tasks.entries()) {
    inputs.set(task.input, index === 0 ? 0 : inputEnds[index - 1])
    const known = rests.at(-1)
    rests.push(known && last && haveSameRest(last, task) ? known : restOf(task))
    last = task
  }
  return { inputs, inputEnds, rests }
}

/** Inputs come as views of the whole. */
export function unpackTasks({ inputs, inputEnds, rests }: TaskColumns): TaskSpec[] {
  let start = 0
  return rests.map((rest, index) => {
    const end = inputEnds[index] ?? start
    const input = inputs.subarray(start, end)
    start = end
    return { ...rest, input }
  })
}

function restOf({ input: _, ...rest }: TaskSpec): Rest {
  return rest
}

/** Whether all but the input is the same; lists only when both are empty. */
function haveSameRest(a: TaskSpec, b: TaskSpec): boolean {
  for (const name in b) if (!(name in a)) return false
  for (const name in a) {
    if (!(name in b)) return false
    const [x, y] = [a[name as keyof TaskSpec], b[name as keyof TaskSpec]]
    if (name === 'input' || x === y) continue
    if (!(Array.isArray(x) && Array.isArray(y) && x.length + y.length === 0)) return false
  }
  return true
}
