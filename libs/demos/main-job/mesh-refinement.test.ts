import { brysonDenham, vanDerPol } from 'costate/control'
import { expect, test } from 'vitest'
import { halveSteps, solveRefined } from './mesh-refinement.js'

const options = { firstIntervals: 20, mostIntervals: 1280, costTolerance: 1e-6 }

test('meshes get finer until the cost stands still, and it stands where the literature has it', async () => {
  const { problem, published } = vanDerPol({ horizon: 5 })
  const meshes: number[] = []
  const onIteration = (intervals: number): void => {
    if (meshes.at(-1) !== intervals) meshes.push(intervals)
  }
  const { objective, intervals, t, x, u } = await solveRefined(problem, { ...options, onIteration })
  // The fourth-order error falls sixteenfold per mesh: from 2.2e-5 on 20 intervals below 1e-6 between 80 and 160.
  expect(meshes).toEqual([20, 40, 80, 160])
  expect(intervals).toBe(160)
  expect(Math.abs(objective / published.objective - 1)).toBeLessThan(1e-7)
  expect([t.length, x.length, u.length]).toEqual([321, 642, 321])
})

test('a later mesh starts from the solution before: fewer iterations than from nothing', async () => {
  const { problem } = vanDerPol({ horizon: 5 })
  const perMesh = new Map<number, number>()
  const onIteration = (intervals: number, { iteration }: { iteration: number }): void =>
    void perMesh.set(intervals, iteration)
  const { iterations } = await solveRefined(problem, { ...options, onIteration })
  expect(perMesh.get(40)).toBeLessThan(perMesh.get(20)!)
  expect(iterations).toBe([...perMesh.values()].reduce((sum, count) => sum + count))
})

test('a cost that still moves on the finest mesh is an error that says by how much', async () => {
  const { problem } = brysonDenham({ stateBound: 0.04 })
  await expect(solveRefined(problem, { ...options, mostIntervals: 40 })).rejects.toThrow(
    /^the cost of Bryson–Denham, x ≤ 0\.04 still moves by \d\.\de-4 at 40 intervals, 1\.0e-6 was allowed/,
  )
})

test('a problem without a solution is an error with the reason', async () => {
  const { problem } = brysonDenham({ stateBound: 0.1 })
  const impossible = { ...problem, initial: { position: 0.5, speed: 1 } }
  await expect(solveRefined(impossible, options)).rejects.toThrow(/has no solution on 20 intervals: infeasible/)
})

test('a signal is heard between meshes', async () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  const meshes = new Set<number>()
  const solving = solveRefined(vanDerPol({ horizon: 5 }).problem, {
    ...options,
    signal: controller.signal,
    onIteration: (intervals) => {
      meshes.add(intervals)
      setImmediate(() => controller.abort(reason))
    },
  })
  await expect(solving).rejects.toBe(reason)
  expect([...meshes]).toEqual([20])
})

test('values are kept at their points, and the mean stands between two', () => {
  expect([...halveSteps(Float64Array.of(0, 10, 2, 30, 8, 20), 2)]).toEqual([0, 10, 1, 20, 2, 30, 5, 25, 8, 20])
  expect([...halveSteps(Float64Array.of(3), 1)]).toEqual([3])
})
