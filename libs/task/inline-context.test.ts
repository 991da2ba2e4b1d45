import { expect, test, vi } from 'vitest'
import { createRng } from '#libs/domain'
import { isTaskContext } from './context.js'
import { createInlineContext } from './inline-context.js'

test('an inline context is a context', () => {
  expect(isTaskContext(createInlineContext())).toBe(true)
  expect(isTaskContext({ taskId: 'a', jobId: 'b' })).toBe(false)
})

test('random numbers are those that the mesh would give to the same seed and task', () => {
  const { rng } = createInlineContext({ seed: 20240101, taskIndex: 7 })

  expect(rng.uniforms(3)).toEqual(createRng(20240101, 7).uniforms(3))
})

test('a checkpoint gives back the newest state, apart from the one that was saved', async () => {
  const { checkpoint } = createInlineContext()
  expect(await checkpoint.load()).toBeUndefined()

  const state = { x: new Float64Array([1, 2]) }
  await checkpoint.save({ x: new Float64Array([0, 0]) })
  await checkpoint.save(state, { iteration: 40, cost: 0.5 })
  state.x.fill(-1)

  expect(await checkpoint.load()).toEqual({
    state: { x: new Float64Array([1, 2]) },
    version: 2,
    iteration: 40,
    cost: 0.5,
    labels: {},
  })
})

test('a save that is not due yet does nothing', async () => {
  const { checkpoint } = createInlineContext()
  for (let iteration = 1; iteration <= 25; iteration++) {
    await checkpoint.save(iteration, { iteration, every: { iterations: 10 } })
  }
  expect(await checkpoint.load()).toMatchObject({ state: 20, version: 2 })
})

test('log lines go to the console with their fields', () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue(undefined)
  createInlineContext().log.warn('slow convergence', { iteration: 90 })
  createInlineContext().log.warn('no fields')

  expect(warn.mock.calls).toEqual([['slow convergence', { iteration: 90 }], ['no fields']])
  warn.mockRestore()
})
