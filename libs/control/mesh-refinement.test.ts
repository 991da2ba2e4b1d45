import { expect, test } from 'vitest'

import { hermiteSimpson } from './collocation.js'
import { estimateErrors, refineMesh } from './mesh-refinement.js'
import { compileModel } from './model.js'
import { defineProblem } from './problem.js'
import { Transcription } from './transcription.js'

test('intervals are divided by their errors, the worst first where not all can be', () => {
  const ends = Float64Array.of(0, 0.5, 1)
  const refine = (errors: readonly [number, number], tolerance: number, mostIntervals?: number): number[] => [
    ...refineMesh(ends, Float64Array.from(errors), 4, { tolerance, ...(mostIntervals && { mostIntervals }) }),
  ]
  expect(refine([1e-4, 1e-6], 1e-5)).toEqual([0, 0.25, 0.5, 1])
  expect(refine([1e-9, 1e9], 1e-5)).toEqual([0, 0.5, 0.625, 0.75, 0.875, 1])
  expect(refine([1, 2], 1e-9, 3)).toEqual([0, 0.5, 0.75, 1])
  expect(refine([1, 2], 1e-9, 2)).toEqual([...ends])
})

const growth = compileModel(
  defineProblem({
    name: 'growth',
    states: ['x'],
    controls: [],
    horizon: 1,
    dynamics: ({ x }) => ({ x }),
    terminalCost: ({ x }) => x,
    initial: { x: 1 },
  }),
)

test('the estimate for an exact trajectory falls with the fourth power of the step', () => {
  const errorOf = (intervals: number): number => {
    const ends = Float64Array.from({ length: intervals + 1 }, (_, k) => k / intervals)
    const transcription = new Transcription(growth, hermiteSimpson, ends)
    const errors = estimateErrors(growth, transcription, transcription.mesh.times.map(Math.exp))
    return Math.max(...errors)
  }
  expect(errorOf(10) / errorOf(20)).toBeGreaterThan(15)
  expect(errorOf(10) / errorOf(20)).toBeLessThan(17)
})
