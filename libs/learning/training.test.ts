import { createRng } from '#libs/domain'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

import { predict } from './network.js'
import { trainNetwork, type TrainingOptions, type TrainingState } from './training.js'

const folder = new URL('../../test/workloads/', import.meta.url)

async function twoMoons(): Promise<{ x: Float64Array; y: Float64Array }> {
  const text = await readFile(new URL('data/two-moons.csv', folder), 'utf8')
  const rows = text
    .trim()
    .split('\n')
    .slice(2)
    .map((line) => line.split(',').map(Number))
  return { x: Float64Array.from(rows.flatMap((row) => row.slice(0, 2))), y: Float64Array.from(rows, (row) => row[2]!) }
}

const network = { layers: [2, 16, 1], output: 'sigmoid' } as const

test('full-batch descent on two moons has the published losses', async () => {
  const rng = createRng(909, 0)
  const losses: number[] = []
  const { parameters } = trainNetwork({
    ...{ network, ...(await twoMoons()), epochs: 500, learningRate: 0.5, optimizer: 'gradientDescent' },
    draw: () => rng.uniform(),
    onIterate: ({ loss }) => losses.push(loss),
  })
  const reference = JSON.parse(await readFile(new URL('references/nn-ensemble-two-moons.json', folder), 'utf8')) as {
    reference: { members: { loss: Record<string, number> }[] }
  }
  for (const [epoch, loss] of Object.entries(reference.reference.members[0]!.loss)) {
    expect(losses[Number(epoch)]! / loss).toBeCloseTo(1, 8)
  }
  expect(predict(network, parameters, Float64Array.of(0, 0))[0]).toBeGreaterThan(0.8)
})

function parity(): Pick<TrainingOptions, 'network' | 'x' | 'y'> {
  const x = Float64Array.of(0, 0, 0, 1, 1, 0, 1, 1)
  return { network: { layers: [2, 8, 1], output: 'sigmoid' }, x, y: Float64Array.of(0, 1, 1, 0) }
}

test.each([undefined, 2])('Adam learns what no line divides, in batches of %s', (batchSize) => {
  const rng = createRng(5, 0)
  const options = { ...parity(), epochs: 400, learningRate: 0.05, draw: () => rng.uniform() }
  const { parameters, loss } = trainNetwork({ ...options, ...(batchSize && { batchSize }) })
  expect(loss).toBeLessThan(0.05)
  const right = [...predict(options.network, parameters, options.x)].map(Math.round)
  expect(right).toEqual([0, 1, 1, 0])
})

test("Adam's first step is the learning rate against the sign of each slope (Kingma & Ba 2015)", () => {
  const line = { network: { layers: [1, 1] }, x: Float64Array.of(1, 2), y: Float64Array.of(5, 5) }
  const { parameters } = trainNetwork({ ...line, epochs: 1, learningRate: 0.1, draw: () => 0.5 })
  expect(parameters[0]).toBeCloseTo(0.1, 8)
  expect(parameters[1]).toBeCloseTo(0.1, 8)
})

test('a training goes on from a state as if it had not stopped', () => {
  const states: TrainingState[] = []
  const rng = createRng(5, 0)
  const options = { ...parity(), learningRate: 0.05, draw: () => rng.uniform() }
  const whole = trainNetwork({ ...options, epochs: 50, onIterate: (state) => states.push(state) })
  const rest = trainNetwork({ ...options, epochs: 50, from: states[20]! })
  expect(rest.parameters).toEqual(whole.parameters)
  expect(states).toHaveLength(51)
})

test('an aborted signal ends it with its reason', () => {
  const reason = new Error('enough')
  const signal = AbortSignal.abort(reason)
  expect(() => trainNetwork({ ...parity(), epochs: 5, draw: () => 0.5, signal })).toThrow(reason)
})

test.each([
  ['a rate of nothing', { learningRate: 0 }, /learningRate is 0/],
  ['no rows', { x: new Float64Array(), y: new Float64Array() }, /no rows/],
  ['batches of nothing', { batchSize: 0 }, /batchSize is 0/],
  ['half an epoch', { epochs: 0.5 }, /epochs is 0.5/],
])('%s: refused', (_name, change, reason) => {
  expect(() => trainNetwork({ ...parity(), epochs: 1, draw: () => 0.5, ...change })).toThrow(reason)
})

test('a loss that runs away is told with the rate', () => {
  const line = { network: { layers: [1, 1] }, x: Float64Array.of(1e3), y: Float64Array.of(1) }
  const run = (): unknown =>
    trainNetwork({ ...line, epochs: 200, learningRate: 10, optimizer: 'gradientDescent', draw: () => 0.7 })
  expect(run).toThrow(/not finite after epoch \d+; lower the learning rate \(10\)/)
})
