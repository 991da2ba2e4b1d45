import { expect, test } from 'vitest'

import { checkAtMost, checkEach, checkNumber, checkSame } from './check.js'
import { judgeChecks } from './judgement.js'

const of = <T>(ours: T, reference: T) => ({ what: 'the answer', ours, reference, source: 'a book' })

test.each([
  ['on its absolute tolerance', checkNumber({ ...of(1.5, 1), absolute: 0.5 }), true],
  ['beyond it', checkNumber({ ...of(1.6, 1), absolute: 0.5 }), false],
  ['on its relative tolerance, of a negative reference', checkNumber({ ...of(-101, -100), relative: 0.01 }), true],
  ['beyond that', checkNumber({ ...of(-102, -100), relative: 0.01 }), false],
  ['not a number', checkNumber({ ...of(NaN, 1), absolute: Infinity }), false],
  ['infinite', checkNumber({ ...of(Infinity, 1), relative: 1 }), false],
  ['the same text', checkSame(of('a630', 'a630')), true],
  ['another number', checkSame(of(78_497, 78_498)), false],
  ['the bound itself', checkAtMost(of(2, 2)), true],
  ['above the bound', checkAtMost(of(2.1, 2)), false],
  ['not a number below a bound', checkAtMost(of(NaN, 2)), false],
  ['a list that agrees', checkEach({ ...of([1, 2], [1, 2]), absolute: 0 }), true],
  ['a list with one that is off', checkEach({ ...of([1, 2.1], [1, 2]), absolute: 0 }), false],
  ['a list that is too short', checkEach({ ...of([1], [1, 2]), absolute: 0 }), false],
  ['a list that is too long', checkEach({ ...of([1, 2, 3], [1, 2]), absolute: 0 }), false],
  ['a list of nothing', checkEach({ ...of([], []), absolute: 0 }), false],
])('an answer that is %s', (_how, check, isRight) => {
  expect(check.isRight).toBe(isRight)
})

test('a demo is right when all its answers are, and it has some', () => {
  const right = checkSame(of(1, 1))
  const wrong = checkSame({ ...of(78_497, 78_498), what: 'primes' })
  expect(judgeChecks([right, right, right])).toMatchObject({
    isGood: true,
    headline: 'Right: all 3 answers agree with their references.',
  })
  expect(judgeChecks([])).toMatchObject({ isGood: false, headline: 'Wrong: nothing was checked.' })
  expect(judgeChecks([right, wrong])).toEqual({
    isGood: false,
    headline: 'Wrong: 1 of 2 answers does not agree with the reference.',
    reasons: ['primes: 78,497, reference 78,498 (exact).'],
  })
})
