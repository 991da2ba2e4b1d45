import { expect, test } from 'vitest'
import { fewestProblems, listProblems, publishedProblemOf, stateBounds } from './problems.js'

test.each([200, 240, 1000])('%d problems: a quarter nonlinear, from at least 40 guesses', (count) => {
  const problems = listProblems(count)
  const nonlinear = problems.filter(({ kind }) => kind !== 'brysonDenham')
  expect(problems).toHaveLength(count)
  expect(nonlinear.length).toBeGreaterThanOrEqual(40)
  expect(nonlinear.length / count).toBeCloseTo(1 / 4, 2)
})

test('the state bound goes from end to end through all three regimes, tight bounds first', () => {
  const bounds = listProblems(240).flatMap((problem) => (problem.kind === 'brysonDenham' ? [problem.stateBound] : []))
  expect([bounds[0], bounds.at(-1)]).toEqual([stateBounds.lowest, stateBounds.highest])
  expect(bounds).toEqual([...bounds].sort((a, b) => a - b))
  const ridesAlong = bounds.filter((bound) => bound <= 1 / 6).length
  const staysFree = bounds.filter((bound) => bound >= 1 / 4).length
  expect(Math.min(ridesAlong, staysFree, bounds.length - ridesAlong - staysFree)).toBeGreaterThanOrEqual(20)
})

test('no two problems are the same, and even the shortest sweep has every family', () => {
  const keys = listProblems(240).map((problem) => JSON.stringify(problem))
  expect(new Set(keys).size).toBe(240)
  const names = listProblems(fewestProblems).map((problem) => publishedProblemOf(problem).problem.name)
  expect(names).toEqual(expect.arrayContaining(['van der Pol, T = 2', 'van der Pol, T = 5', 'Rayleigh, case A']))
  expect(names[0]).toBe('Bryson–Denham, x ≤ 0.04')
})

test.each([fewestProblems - 1, 0, -3, 24.5, Number.NaN])('%d problems are refused', (count) => {
  expect(() => listProblems(count)).toThrow(RangeError)
})
