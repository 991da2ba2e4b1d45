import { expect, test } from 'vitest'
import { differentiate } from './derivative.js'
import { Expression, type ExpressionLike } from './expression.js'
import { compileTape } from './tape.js'

const x = Expression.variable(0)
const y = Expression.variable(1)

function evaluate(expression: Expression, at: readonly number[]): number {
  const tape = compileTape([expression], at.length)
  tape.input.set(at)
  tape.run()
  return tape.output[0]!
}

const FORMULAS: readonly (readonly [string, Expression, (x: number, y: number) => number])[] = [
  ['sum and product', x.times(y).plus(x).plus(3), (a, b) => a * b + a + 3],
  ['difference', x.minus(y.times(2)).minus(1), (a, b) => a - 2 * b - 1],
  ['quotient', x.dividedBy(y.plus(x)), (a, b) => a / (b + a)],
  ['power', x.power(3).plus(y.power(-1.5)), (a, b) => a ** 3 + b ** -1.5],
  ['square', x.squared().times(y).negated(), (a, b) => -(a * a * b)],
  ['sine and cosine', x.sin().times(y.cos()), (a, b) => Math.sin(a) * Math.cos(b)],
  ['tangent', x.times(y).tan(), (a, b) => Math.tan(a * b)],
  ['exponential', x.times(y).exp(), (a, b) => Math.exp(a * b)],
  ['logarithm', x.plus(y.squared()).log(), (a, b) => Math.log(a + b * b)],
  ['root', x.times(y).plus(1).sqrt(), (a, b) => Math.sqrt(a * b + 1)],
  ['hyperbolic tangent', x.minus(y).tanh(), (a, b) => Math.tanh(a - b)],
  ['arc tangent', x.dividedBy(y).atan(), (a, b) => Math.atan(a / b)],
  [
    'arc sine and arc cosine',
    x.times(y).dividedBy(2).asin().plus(x.acos()),
    (a, b) => Math.asin((a * b) / 2) + Math.acos(a),
  ],
  ['hyperbolic sine and cosine', x.sinh().times(y.cosh()), (a, b) => Math.sinh(a) * Math.cosh(b)],
  ['a shared subexpression', x.sin().squared().plus(x.sin()), (a) => Math.sin(a) ** 2 + Math.sin(a)],
]

test.each(FORMULAS)('%s: value, gradient and Hessian against differences', (_name, expression, formula) => {
  const at = [0.7, 1.3] as const
  expect(evaluate(expression, at)).toBeCloseTo(formula(...at), 14)
  const gradient = differentiate(expression, [0, 1])
  const h = 1e-5
  gradient.forEach((slope, i) => {
    const shifted = (size: number): [number, number] => [at[0] + (i === 0 ? size : 0), at[1] + (i === 1 ? size : 0)]
    const difference = (formula(...shifted(h)) - formula(...shifted(-h))) / (2 * h)
    expect(evaluate(slope, at)).toBeCloseTo(difference, 7)
    differentiate(slope, [0, 1]).forEach((curvature, j) => {
      const moved = (size: number): [number, number] => [at[0] + (j === 0 ? size : 0), at[1] + (j === 1 ? size : 0)]
      const second = (evaluate(slope, moved(h)) - evaluate(slope, moved(-h))) / (2 * h)
      expect(evaluate(curvature, at)).toBeCloseTo(second, 7)
    })
  })
})

test('constants fold, and what does not depend on a variable has the derivative 0', () => {
  const folded = Expression.constant(2).times(3).plus(Expression.constant(4).dividedBy(2)).minus(1).power(2)
  expect(folded.term).toEqual({ kind: 'constant', value: 49 })
  const tape = compileTape(differentiate(y.times(2).plus(folded), [0, 1]), 2)
  expect(tape.alwaysZero).toEqual([true, false])
})

test('a sum of a hundred thousand terms is no deeper than a stack', () => {
  let sum: ExpressionLike = 0
  for (let i = 0; i < 100_000; i++) sum = Expression.from(sum).plus(x.times(i % 2))
  expect(evaluate(differentiate(Expression.from(sum), [0])[0]!, [1])).toBe(50_000)
})

test('a tape refuses a variable that is not among its inputs', () => {
  expect(() => compileTape([Expression.variable(2)], 2)).toThrow(/variable 2 is not among the 2 inputs/)
})
