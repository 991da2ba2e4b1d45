import { type Cluster, task } from 'costate'
import { differentiateLoss, predict, trainNetwork, type Network } from 'costate/learning'
import { distributeComputation } from 'costate/primitives'

import { createRng } from '#libs/domain'

import { range, readRows, sum } from './data-files.js'
import type { Workload } from './workload.js'

interface Moons {
  /** float64[rows, 2]. */
  readonly x: Float64Array
  readonly y: Float64Array
}

async function readMoons(): Promise<number[][]> {
  return await readRows('two-moons.csv')
}

const moonsOf = (rows: readonly (readonly number[])[]): Moons => ({
  ...{ x: Float64Array.from(rows.flatMap((row) => row.slice(0, 2))), y: Float64Array.from(rows, (row) => row[2]!) },
})

const networkOf = (hidden: number): Network => ({ layers: [2, hidden, 1], output: 'sigmoid' })
const probes = Float64Array.of(0, 0, 1, 0.5, 0.5, -0.2, -1, 0.3, 2, 0.2)

/** One member of the ensemble: full-batch descent from its own random weights. */
export const trainMember = task(
  import.meta,
  'trainMember',
  async ({ member, moons }: { member: number; moons: Moons }, ctx) => {
    const rng = createRng(909, member)
    const network = networkOf(16)
    const loss: Record<string, number> = {}
    const { parameters } = trainNetwork({
      ...{ network, ...moons, epochs: 500, learningRate: 0.5, optimizer: 'gradientDescent', signal: ctx.signal },
      draw: () => rng.uniform(),
      onIterate: (state) => {
        if ([0, 1, 10, 100, 500].includes(state.epoch)) loss[state.epoch] = state.loss
      },
    })
    const right = predict(network, parameters, moons.x).filter((p, row) => Number(p > 0.5) === moons.y[row]).length
    return { member, loss, correct: right, probes: predict(network, parameters, probes) }
  },
)

async function answerEnsemble(cluster: Cluster): Promise<Record<string, unknown>> {
  const moons = moonsOf(await readMoons())
  const trained = await distributeComputation(
    trainMember,
    range(0, 8).map((member) => ({ member, moons })),
    cluster,
  )
  const means = range(0, 5).map((k) => sum(trained.map((one) => one.probes[k]!)) / 8)
  return {
    members: trained.map(({ member, loss, correct }) => ({ member, loss, correct })),
    ensemble_mean_probability: means,
    ensemble_std: means.map((centre, k) => Math.sqrt(sum(trained.map((one) => (one.probes[k]! - centre) ** 2)) / 8)),
  }
}

export const trainCandidate = task(
  import.meta,
  'trainCandidate',
  async ({ hidden, lr, train, validation }: { hidden: number; lr: number; train: Moons; validation: Moons }) => {
    const rng = createRng(910, 0)
    const network = networkOf(hidden)
    const { parameters, loss } = trainNetwork({
      ...{ network, ...train, epochs: 200, learningRate: lr, optimizer: 'gradientDescent' },
      draw: () => rng.uniform(),
    })
    return {
      hidden,
      lr,
      train_loss: loss,
      val_loss: differentiateLoss(network, parameters, validation.x, validation.y).loss,
    }
  },
)

async function answerGrid(cluster: Cluster): Promise<Record<string, unknown>> {
  const rows = await readMoons()
  const [train, validation] = [moonsOf(rows.filter((_, i) => i % 4 !== 0)), moonsOf(rows.filter((_, i) => i % 4 === 0))]
  const orders = [4, 8, 16].flatMap((hidden) => [0.1, 0.5, 1].map((lr) => ({ hidden, lr, train, validation })))
  const grid = await distributeComputation(trainCandidate, orders, cluster)
  const losses = grid.map((one) => one.val_loss)
  return { grid, best_by_val: losses.indexOf(Math.min(...losses)) }
}

export const networkWorkloads: readonly Workload[] = [
  { name: 'nn-ensemble-two-moons', section: 'learning', answer: answerEnsemble },
  { name: 'nn-hyperparameter-grid', section: 'learning', answer: answerGrid },
]
