import type { Task } from 'costate'

/** What the workers of these tests are asked for. */
export interface Tasks {
  readonly square: Task<[x: number], number>
  /** The same in so many steps of 20 ms, of which it saves each and begins where another one left it. */
  readonly slowSquare: Task<[x: number, steps: number], number>
  /** Makes `<folder>/<name>` when it runs, and ends when `<folder>/go` is there. */
  readonly hold: Task<[folder: string, name: string], string>
  /** A descent that saves every ten steps, and says each step that it takes. */
  readonly descend: Task<[folder: string, steps: number], Float64Array>
}

/** A user's module. */
export const tasksSource = `
import { appendFileSync, existsSync, watch, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { task } from 'costate'
export const square = task(import.meta, 'square', async (x) => x * x)
export const slowSquare = task(import.meta, 'slowSquare', async (x, steps, ctx) => {
  for (let step = (await ctx.checkpoint.load())?.iteration ?? 0; step < steps; step++) {
    await pause(20)
    void ctx.checkpoint.save(x, { iteration: step + 1, every: { ms: 100 } })
    ctx.signal.throwIfAborted()
  }
  return x * x
})
export const hold = task(import.meta, 'hold', async (folder, name, ctx) => {
  await new Promise((resolve, reject) => {
    const watcher = watch(folder, () => look())
    const look = () => existsSync(folder + '/go') && (watcher.close(), resolve())
    ctx.signal.addEventListener('abort', () => { watcher.close(); reject(ctx.signal.reason) })
    writeFileSync(folder + '/' + name, String(process.pid))
    look()
  })
  return name
})
export const descend = task(import.meta, 'descend', async (folder, steps, ctx) => {
  const saved = await ctx.checkpoint.load()
  const x = saved?.state.x ?? Float64Array.from({ length: 1000 }, (_, i) => i / 7)
  for (let step = (saved?.iteration ?? 0) + 1; step <= steps; step++) {
    for (let i = 0; i < x.length; i++) x[i] -= 0.01 * Math.sin(x[i] + step)
    appendFileSync(folder + '/steps', step + ' ' + process.pid + ' ' + ctx.attempt + '\\n')
    if (step % 10 === 0) writeFileSync(folder + '/at-' + step, '')
    await pause(20)
    void ctx.checkpoint.save({ x }, { iteration: step, cost: x[0], every: { iterations: 10 } })
    ctx.signal.throwIfAborted()
  }
  return x
}, { retries: 0 })
`
