import { task, type TaskContext } from '#libs/client'

/** Tasks of the tests. */
export const square = task(import.meta, 'square', async (x: number) => x * x)

export const squareUnlessOdd = task(import.meta, 'squareUnlessOdd', async (x: number) => {
  if (x % 2 === 1) throw new RangeError(`${x} is odd`)
  return x * x
})

/** Fails as often as it says, then gives its number. */
export const flaky = task(
  import.meta,
  'flaky',
  async ({ x, fails }: { x: number; fails: number }, ctx: TaskContext) => {
    if (ctx.attempt <= fails) throw new Error(`attempt ${ctx.attempt} of ${x}`)
    return x
  },
)

export const normal = task(import.meta, 'normal', (_index: number, ctx: TaskContext) => ctx.rng.normal())

/** Two numbers that belong together: u, and 3u + 1. */
export const line = task(import.meta, 'line', async (_index: number, ctx: TaskContext) => {
  const u = ctx.rng.uniform()
  return [u, 3 * u + 1]
})

export const nanAtSeven = task(import.meta, 'nanAtSeven', (index: number) => (index === 7 ? NaN : index))

export const ragged = task(import.meta, 'ragged', (index: number) => (index === 3 ? [1, 2] : [1]))

/** Waits until it is stopped. */
export const hold = task(
  import.meta,
  'hold',
  async (_x: number, { signal }: TaskContext) =>
    new Promise<number>((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true })
    }),
)

export const sumUnlessThree = task(import.meta, 'sumUnlessThree', async ({ a, b }: { a: number; b: number }) => {
  if (a + b === 3) throw new Error('three')
  return a + b
})

/** A text that shows in which order it was put together. */
export const bracket = task(import.meta, 'bracket', async (x: number) => String(x))
export const pair = task(import.meta, 'pair', async (a: string, b: string) => `(${a} ${b})`)
export const list = task(import.meta, 'list', async (items: readonly string[]) => `[${items.join(' ')}]`)
export const identity = task(import.meta, 'identity', async (x: number) => x)
export const add = task(import.meta, 'add', async (a: number, b: number) => a + b)

/** Says how often it ran, in this process. */
export const runs = new Map<string, number>()
function ran(name: string): void {
  runs.set(name, (runs.get(name) ?? 0) + 1)
}

export const countedSquare = task(import.meta, 'countedSquare', async (x: number) => {
  ran('countedSquare')
  return x * x
})

/** A random number. */
export const drawn = task(import.meta, 'drawn', async (_label: string, ctx: TaskContext) => {
  ran('drawn')
  return ctx.rng.uniform()
})

export const counted = task(import.meta, 'counted', async (x: number) => {
  ran('counted')
  return 2 * x
})

export const load = task(import.meta, 'load', async (n: number) => {
  ran('load')
  return Float64Array.from({ length: n }, (_, k) => k)
})
export const sum = task(import.meta, 'sum', async (values: Float64Array) => {
  ran('sum')
  return values.reduce((a, b) => a + b, 0)
})
export const last = task(import.meta, 'last', async (values: Float64Array) => {
  ran('last')
  return values.at(-1)!
})
export const both = task(import.meta, 'both', async (a: number, b: number) => {
  ran('both')
  if (runs.get('broken')) throw new Error('both is broken')
  return [a, b]
})
export const nothing = task(import.meta, 'nothing', async () => undefined)

interface Model {
  mean: number
}
export const createModel = task(import.meta, 'createModel', async (): Promise<Model> => ({ mean: NaN }))
/** Trains in place. */
export const trainMean = task(
  import.meta,
  'trainMean',
  async (model: Model, { y }: { x: readonly number[]; y: Float64Array }) => {
    model.mean = y.reduce((a, b) => a + b, 0) / y.length
  },
)
export const squaredError = task(
  import.meta,
  'squaredError',
  async ({ mean }: Model, { y }: { x: readonly number[]; y: Float64Array }) =>
    y.reduce((total, value) => total + (value - mean) ** 2, 0) / y.length,
)

/** The distance from (0.3, 0.7), squared; not defined where x is above 0.9, and NaN where it is below 0.05. */
export const bowl = task(import.meta, 'bowl', async ({ x, y }: { x: number; y: number }) => {
  runs.set('bowl', (runs.get('bowl') ?? 0) + 1)
  if (x > 0.9) throw new RangeError('x is above 0.9')
  return x < 0.05 ? NaN : (x - 0.3) ** 2 + (y - 0.7) ** 2
})

export const budgeted = task(
  import.meta,
  'budgeted',
  async ({ x }: { x: number }, resource: number) => x + 1 / resource,
)

export const broken = task(import.meta, 'broken', async ({ x }: { x: number }): Promise<number> => {
  throw new Error(`no value at ${x < 0 ? 'negative' : 'positive'} x`)
})

/** Draws a number, so that it shows which random stream it got. */
export const noise = task(import.meta, 'noise', (_: { x: number }, ctx: TaskContext) => ctx.rng.uniform())

/** Ishigami & Homma (1990) with a = 7, b = 0.1. */
export const ishigami = task(
  import.meta,
  'ishigami',
  ({ x1, x2, x3 }: { x1: number; x2: number; x3: number }) =>
    Math.sin(x1) + 7 * Math.sin(x2) ** 2 + 0.1 * x3 ** 4 * Math.sin(x1),
)
export const exponential = task(import.meta, 'exponential', async ({ x }: { x: number }) => Math.exp(x))
export const squareUnlessOddAt = task(import.meta, 'squareUnlessOddAt', async ({ x }: { x: number }) => {
  if (x % 2 === 1) throw new RangeError(`${x} is odd`)
  return x * x
})
export const memberNoise = task(
  import.meta,
  'memberNoise',
  async (member: number, data: Float64Array, ctx: TaskContext) => ({
    ...{ member, total: data.reduce((a, b) => a + b, 0), draw: ctx.rng.uniform() },
  }),
)
