import { createRng } from '#libs/domain'
import { expect, test } from 'vitest'

import { differentiateLoss, initializeParameters, type Network, predict } from './network.js'

const networks: readonly Network[] = [
  { layers: [3, 5, 2] },
  { layers: [3, 4, 4, 1], output: 'sigmoid' },
  { layers: [3, 6, 3], hidden: 'relu', output: 'softmax' },
  { layers: [3, 1] },
]

test.each(networks)('$layers $output: the gradient agrees with differences of the loss', (network) => {
  const rng = createRng(3, 0)
  const parameters = initializeParameters(network, () => rng.uniform()).map((value) => value + 0.1 * rng.normal())
  const outputs = network.layers.at(-1)!
  const x = rng.normals(7 * 3)
  const y = Float64Array.from({ length: 7 * outputs }, (_, at) =>
    network.output === undefined
      ? rng.normal()
      : Number(at % outputs === Math.floor(at / outputs) % Math.max(2, outputs)),
  )
  const { gradient } = differentiateLoss(network, parameters, x, y)
  const lossAt = (k: number, shift: number): number =>
    differentiateLoss(
      network,
      parameters.map((value, i) => (i === k ? value + shift : value)),
      x,
      y,
    ).loss
  gradient.forEach((slope, k) => expect(slope).toBeCloseTo((lossAt(k, 1e-5) - lossAt(k, -1e-5)) / 2e-5, 8))
})

test('one layer by hand: 1 / (1 + e^-(2 · 3 - 1))', () => {
  const network = { layers: [1, 1], output: 'sigmoid' } as const
  expect(predict(network, Float64Array.of(2, -1), Float64Array.of(3))[0]).toBeCloseTo(1 / (1 + Math.exp(-5)), 15)
  expect(differentiateLoss(network, Float64Array.of(2, -1), Float64Array.of(3), Float64Array.of(1)).loss).toBeCloseTo(
    Math.log1p(Math.exp(-5)),
    12,
  )
})

test('what softmax gives sums to 1, however large the sums', () => {
  const network = { layers: [1, 3], output: 'softmax' } as const
  const p = predict(network, Float64Array.of(1, 2, 3, 0, 0, 0), Float64Array.of(1000))
  expect([...p]).toEqual([0, 0, 1])
})

test('what a network is certain of, and wrong in, has a large but finite loss', () => {
  const network = { layers: [1, 1], output: 'sigmoid' } as const
  const { loss } = differentiateLoss(network, Float64Array.of(2000, 0), Float64Array.of(1), Float64Array.of(0))
  expect(loss).toBeGreaterThan(100)
  expect(loss).toBeLessThan(Infinity)
})

test.each([
  ['no layers', () => initializeParameters({ layers: [3] }, () => 0), /layers has 1 sizes/],
  ['a layer of nothing', () => initializeParameters({ layers: [3, 0, 1] }, () => 0), /a size of 0/],
  [
    'parameters of another network',
    () => predict({ layers: [2, 1] }, new Float64Array(2), new Float64Array(2)),
    /parameters has 2 values; the network has 3/,
  ],
  [
    'rows of another width',
    () => predict({ layers: [2, 1] }, new Float64Array(3), new Float64Array(3)),
    /makes no rows of 2/,
  ],
  [
    'answers of another number',
    () => differentiateLoss({ layers: [2, 1] }, new Float64Array(3), new Float64Array(4), new Float64Array(3)),
    /y has 3 values; 2/,
  ],
])('%s: refused', (_name, run, reason) => {
  expect(run).toThrow(reason)
})
