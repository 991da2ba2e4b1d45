import { expect, test } from 'vitest'

import { createInlineCluster } from '#libs/client'

import { evaluatePolynomials, gaussQuadrature, hermite, legendre } from './chaos/orthogonal-family.js'
import { totalDegreeIndices } from './chaos/multi-index.js'
import { combinePredictions, ensembleTrain, polynomialChaos } from './index.js'
import { exponential, ishigami, memberNoise, squareUnlessOddAt } from './tasks.fixture.js'

const uniform = { distribution: 'uniform', low: -Math.PI, high: Math.PI } as const

test('Gauss quadrature has the nodes of the tables', () => {
  const three = gaussQuadrature(legendre, 3)
  expect(three.nodes[2]).toBeCloseTo(Math.sqrt(3 / 5), 15)
  expect([...three.weights].map((weight) => 18 * weight)).toEqual([5, 8, 5].map((w) => expect.closeTo(w, 13) as number))
  // Probabilists' Hermite, 4 nodes: ±√(3 ± √6).
  const four = gaussQuadrature(hermite, 4)
  expect(four.nodes[3]).toBeCloseTo(Math.sqrt(3 + Math.sqrt(6)), 14)
  expect(four.nodes[1]).toBeCloseTo(-Math.sqrt(3 - Math.sqrt(6)), 14)
})

test.each([
  ['Legendre', legendre],
  ['Hermite', hermite],
])('%s polynomials are orthonormal under their quadrature', (_, family) => {
  const { nodes, weights } = gaussQuadrature(family, 20)
  const at = [...nodes].map((t) => evaluatePolynomials(family, 12, t))
  for (let a = 0; a <= 12; a++) {
    for (let b = 0; b <= a; b++) {
      const product = at.reduce((sum, p, k) => sum + weights[k]! * p[a]! * p[b]!, 0)
      expect(product).toBeCloseTo(a === b ? 1 : 0, 11)
    }
  }
})

test.each(['quadrature', 'regression'] as const)(
  'Ishigami’s function has its known variance and indices, by %s',
  async (method) => {
    await using cluster = createInlineCluster()
    const inputs = { x1: uniform, x2: uniform, x3: uniform }
    const chaos = await polynomialChaos({ cluster, model: ishigami, inputs, degree: 12, method, nodes: 14 })

    // Homma & Saltelli (1996), a = 7, b = 0.1.
    expect(chaos.mean).toBeCloseTo(3.5, 2)
    expect(Math.abs(chaos.variance / 13.844587940719254 - 1)).toBeLessThan(2e-3)
    expect(chaos.sobol.first['x1']).toBeCloseTo(0.3139, 2)
    expect(chaos.sobol.first['x2']).toBeCloseTo(0.4424, 2)
    expect(chaos.sobol.first['x3']).toBeCloseTo(0, 2)
    expect(chaos.sobol.total['x1']).toBeCloseTo(0.5576, 2)
    expect(chaos.sobol.total['x3']).toBeCloseTo(0.2437, 2)
    expect(chaos.sobol.second['x1*x3']).toBeCloseTo(0.2437, 2)
    expect(chaos.evaluate({ x1: 1, x2: -0.5, x3: 2 })).toBeCloseTo(
      Math.sin(1) * (1 + 0.1 * 16) + 7 * Math.sin(-0.5) ** 2,
      1,
    )
    expect(chaos.evaluations).toBe(method === 'quadrature' ? 14 ** 3 : 2 * chaos.multiIndices.length)
  },
)

test('the exponential of a normal variable has the coefficients exp(½)/√k!', async () => {
  await using cluster = createInlineCluster()
  const inputs = { x: { distribution: 'normal', mean: 0, std: 1 } } as const
  const { coefficients } = await polynomialChaos({ cluster, model: exponential, inputs, degree: 8, nodes: 24 })
  let factorial = 1
  for (const [k, coefficient] of coefficients.entries()) {
    factorial *= Math.max(1, k)
    expect(coefficient).toBeCloseTo(Math.exp(0.5) / Math.sqrt(factorial), 10)
  }
})

test('terms come by total degree, the constant first', () => {
  expect(totalDegreeIndices(2, 2)).toEqual([
    [0, 0],
    [1, 0],
    [0, 1],
    [2, 0],
    [1, 1],
    [0, 2],
  ])
})

test('a model that fails is told with its inputs', async () => {
  await using cluster = createInlineCluster()
  const inputs = { x: { distribution: 'uniform', low: 0, high: 2 } } as const
  await expect(polynomialChaos({ cluster, model: squareUnlessOddAt, inputs, degree: 2 })).rejects.toThrow(
    'the model failed at {"x":1}: RangeError: 1 is odd',
  )
})

test.each([
  [{ inputs: {} }, 'there are no inputs'],
  [{ degree: -1 }, 'degree is -1'],
  [{ inputs: { x: { distribution: 'uniform', low: 1, high: 1 } } }, 'x is uniform from 1 to 1'],
  [{ inputs: { x: { distribution: 'normal', mean: 0, std: 0 } } }, 'x is normal with mean 0 and std 0'],
  [{ inputs: { x: { distribution: 'cauchy' } } }, 'neither uniform nor normal'],
  [{ method: 'regression', samples: 2 }, '2 samples for 4 terms'],
])('settings that make no sense are refused: %j', async (over, message) => {
  await using cluster = createInlineCluster()
  const inputs = { x: { distribution: 'normal', mean: 0, std: 1 } }
  const options = { cluster, model: exponential, inputs, ...over } as never
  await expect(polynomialChaos(options)).rejects.toThrow(message)
})

test('members of an ensemble share the data and draw from streams of their own', async () => {
  await using cluster = createInlineCluster()
  const options = { cluster, trainFn: memberNoise, data: Float64Array.of(1, 2), members: 3, seed: 5 }
  const members = await ensembleTrain(options)

  expect(members.map(({ member, total }) => [member, total])).toEqual([
    [0, 3],
    [1, 3],
    [2, 3],
  ])
  expect(new Set(members.map(({ draw }) => draw)).size).toBe(3)
  expect(await ensembleTrain(options)).toEqual(members)
  await expect(ensembleTrain({ ...options, members: 0 })).rejects.toThrow('members is 0')
})

test('predictions are combined to their mean and how far they differ', () => {
  const { mean, std } = combinePredictions([Float64Array.of(1, 5), Float64Array.of(3, 5)])
  expect([...mean]).toEqual([2, 5])
  expect([...std]).toEqual([Math.SQRT2, 0])
  expect(() => combinePredictions([])).toThrow('there are no predictions')
  expect(() => combinePredictions([[1], [1, 2]])).toThrow('member 1 has 2 predictions, member 0 has 1')
})
