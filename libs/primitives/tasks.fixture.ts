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
