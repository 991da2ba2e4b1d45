import { readFile } from 'node:fs/promises'

import { type Cluster, task } from 'costate'
import { distributedCrossValidation } from 'costate/primitives'

import type { Workload } from './workload.js'

/** A flower: features in tenths, so that all distances are exact, its class, and its row in the file. */
interface Flower {
  readonly features: readonly number[]
  readonly label: number
  readonly row: number
}

const counts = [1, 3, 5, 7, 9, 11, 15, 25]

/** Nearest neighbours learn by heart. */
export const newNeighbours = task(import.meta, 'newNeighbours', async (): Promise<readonly Flower[]> => [])
export const remember = task(import.meta, 'remember', async (_: readonly Flower[], rows: readonly Flower[]) => rows)

/** How many of the rows the k nearest known ones name rightly, packed for all k: one number of base 1,000 digits would not do. */
function countRight(known: readonly Flower[], rows: readonly Flower[], k: number): number {
  return rows.filter(({ features, label }) => {
    const near = known
      .map((flower) => ({ flower, d: flower.features.reduce((sum, x, j) => sum + (x - features[j]!) ** 2, 0) }))
      .sort((a, b) => a.d - b.d || a.flower.row - b.flower.row)
      .slice(0, k)
    const votes = [0, 0, 0]
    for (const { flower } of near) votes[flower.label]!++
    return votes.indexOf(Math.max(...votes)) === label
  }).length
}

/** One for each k: the functions of a validation take no parameters. */
const scorers = counts.map((k) =>
  task(import.meta, `right${k}`, async (known: readonly Flower[], rows: readonly Flower[]) => countRight(known, rows, k)),
)
export const [right1, right3, right5, right7, right9, right11, right15, right25] = scorers

async function answerIris(cluster: Cluster): Promise<Record<string, unknown>> {
  const text = await readFile(new URL('./data/iris.csv', import.meta.url), 'utf8')
  const flowers = text
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line, row): Flower => {
      const numbers = line.split(',').map(Number)
      return { features: numbers.slice(0, 4).map((x) => Math.round(10 * x)), label: numbers[4]!, row }
    })
  // Row i tests fold i mod 5: in this order folds are blocks.
  const data = [0, 1, 2, 3, 4].flatMap((fold) => flowers.filter(({ row }) => row % 5 === fold))
  const correct: number[][] = []
  for (const evaluateFn of scorers) {
    const validation = { cluster, modelFn: newNeighbours, trainFn: remember, evaluateFn, data, nFolds: 5 }
    correct.push([...(await distributedCrossValidation(validation)).scores])
  }
  return { correct, accuracy: correct.map((scores) => scores.reduce((sum, score) => sum + score, 0) / 150) }
}

export const validationWorkloads: readonly Workload[] = [
  { name: 'cv-knn-iris', section: 'validation', answer: answerIris },
]
