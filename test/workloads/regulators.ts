import { type Cluster, task } from 'costate'
import {
  createLinearMpc,
  defineDiscreteProblem,
  denseMatrix,
  rungeKuttaStep,
  solveContinuousRiccati,
  solveDiscreteRiccati,
  solveDynamicProgram,
  solveFiniteHorizonLqr,
  type LinearQuadratic,
} from 'costate/control'
import { distributeComputation, parameterGrid } from 'costate/primitives'

import type { Workload } from './workload.js'

type Rows = readonly (readonly number[])[]

/** A Riccati equation of the collections of Benner, Laub & Mehrmann, by rows. */
interface Equation {
  readonly A: Rows
  readonly B: Rows
  readonly Q: Rows
  readonly R: Rows
}

const read = ({ A, B, Q, R }: Equation): LinearQuadratic => ({
  ...{ A: denseMatrix(A), B: denseMatrix(B), Q: denseMatrix(Q), R: denseMatrix(R) },
})

export const continuousRiccati = task(
  import.meta,
  'continuousRiccati',
  async (equation: Equation) => solveContinuousRiccati(read(equation)).X,
)
export const discreteRiccati = task(
  import.meta,
  'discreteRiccati',
  async (equation: Equation) => solveDiscreteRiccati(read(equation)).X,
)

function square(n: number, entry: (i: number, j: number) => number): number[][] {
  return Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => entry(i, j)))
}

const identity = (n: number): number[][] => square(n, (i, j) => Number(i === j))

/** CAREX 3.2: a ring of n cells. */
function ring(n: number): Equation {
  const A = square(n, (i, j) => (i === j ? -2 : Math.abs(i - j) === 1 || Math.abs(i - j) === n - 1 ? 1 : 0))
  return { A, B: identity(n), Q: identity(n), R: identity(n) }
}

const oneInput = (A: Rows, B: readonly number[], Q: Rows, r = 1): Equation => ({ A, B: B.map((b) => [b]), Q, R: [[r]] })
const skewed: Rows = [
  [4, 3],
  [-4.5, -3.5],
]
const skewedWeights: Rows = [
  [9, 6],
  [6, 4],
]

const carex: Readonly<Record<string, Equation>> = {
  'CAREX 1.1': oneInput(
    [
      [0, 1],
      [0, 0],
    ],
    [0, 1],
    [
      [1, 0],
      [0, 2],
    ],
  ),
  'CAREX 1.2': oneInput(skewed, [1, -1], skewedWeights),
  'CAREX 2.1 eps=1': oneInput(
    [
      [1, 0],
      [0, -2],
    ],
    [1, 0],
    [
      [1, 1],
      [1, 1],
    ],
  ),
  'CAREX 2.1 eps=0.001': oneInput(
    [
      [1, 0],
      [0, -2],
    ],
    [0.001, 0],
    [
      [1, 1],
      [1, 1],
    ],
  ),
  'CAREX 2.3 eps=1': oneInput(
    [
      [0, 1],
      [0, 0],
    ],
    [0, 1],
    identity(2),
  ),
  'CAREX 2.3 eps=0.001': oneInput(
    [
      [0, 0.001],
      [0, 0],
    ],
    [0, 1],
    identity(2),
  ),
  'CAREX 3.2 n=8': ring(8),
}

/** DAREX 4.1: a shift register of n cells. */
const register = (n: number): Equation =>
  oneInput(
    square(n, (i, j) => Number(j === i + 1)),
    Array.from({ length: n }, (_, i) => Number(i === n - 1)),
    identity(n),
  )

const darex: Readonly<Record<string, Equation>> = {
  'DAREX 1.1': oneInput(
    [
      [2, -1],
      [1, 0],
    ],
    [1, 0],
    [
      [0, 0],
      [0, 1],
    ],
    0,
  ),
  'DAREX 1.3': oneInput(
    [
      [0, 1],
      [0, 0],
    ],
    [0, 1],
    [
      [1, 2],
      [2, 4],
    ],
  ),
  'DAREX 2.1 r=1': oneInput(skewed, [1, -1], skewedWeights),
  'DAREX 4.1 n=10 r=1': register(10),
}

function toRows(matrix: Float64Array): number[][] {
  const n = Math.sqrt(matrix.length)
  return square(n, (i, j) => matrix[i * n + j]!)
}

async function answerCarex(cluster: Cluster): Promise<Record<string, unknown>> {
  const solved = await distributeComputation(continuousRiccati, [...Object.values(carex), ring(64)], cluster)
  const large = toRows(solved.at(-1)!)
  return {
    ids: Object.keys(carex),
    X: solved.slice(0, -1).map(toRows),
    n64_first_row_0_7: large[0]!.slice(0, 8),
    n64_trace: large.reduce((sum, row, i) => sum + row[i]!, 0),
  }
}

async function answerDarex(cluster: Cluster): Promise<Record<string, unknown>> {
  const solved = await distributeComputation(discreteRiccati, Object.values(darex), cluster)
  return { ids: Object.keys(darex), X: solved.map(toRows) }
}

/** A fraction in lowest terms. */
type Fraction = readonly [numerator: bigint, denominator: bigint]

function reduce([a, b]: Fraction): Fraction {
  let [x, y] = [a, b]
  while (y !== 0n) [x, y] = [y, x % y]
  return [a / x, b / x]
}

/** The Riccati recursion of x⁺ = x + u with the cost Σ x² + u², in fractions: P = 1 + P / (1 + P). */
export const rationalCosts = task(import.meta, 'rationalCosts', async (steps: number) => {
  const costs: Fraction[] = [[0n, 1n]]
  for (let k = 0; k < steps; k++) {
    const [a, b] = costs[0]!
    costs.unshift(reduce([2n * a + b, a + b]))
  }
  return costs.map(([a, b]) => (b === 1n ? String(a) : `${a}/${b}`))
})

export const scalarRegulator = task(import.meta, 'scalarRegulator', async (steps: number) => {
  const one = Float64Array.of(1)
  const system = { A: one, B: one, Q: one, R: one }
  return { first: solveFiniteHorizonLqr({ ...system, steps }).P[0]!, limit: solveDiscreteRiccati(system).X[0]! }
})

async function answerFiniteHorizon(cluster: Cluster): Promise<Record<string, unknown>> {
  const [fractions, { first, limit }] = await cluster.gather([
    cluster.submit(rationalCosts, 10),
    cluster.submit(scalarRegulator, 10),
  ])
  return { P_rational: fractions, P0: first, limit }
}

/** The gain and the trace of the cost of a double integrator, by its weights. */
export const weighedGain = task(import.meta, 'weighedGain', async ({ q, r }: { q: number; r: number }) => {
  const { K, X } = solveContinuousRiccati(
    read(
      oneInput(
        [
          [0, 1],
          [0, 0],
        ],
        [0, 1],
        [
          [q, 0],
          [0, 0],
        ],
        r,
      ),
    ),
  )
  return { K: [...K], trace: X[0]! + X[3]! }
})

async function answerGainSweep(cluster: Cluster): Promise<Record<string, unknown>> {
  // Half decades, as the collection writes them.
  const weights = [0.01, 0.031622776602, 0.1, 0.316227766017, 1, 3.162277660168, 10, 31.622776601684, 100]
  const found = await distributeComputation(weighedGain, parameterGrid({ q: weights, r: weights }), cluster)
  const rows = <T>(values: readonly T[]): T[][] => weights.map((_, row) => values.slice(row * 9, (row + 1) * 9))
  return { K: rows(found.map(({ K }) => K)), trace_P: rows(found.map(({ trace }) => trace)) }
}

const plant = {
  A: denseMatrix([
    [0.7326, -0.0861],
    [0.1722, 0.9909],
  ]),
  B: denseMatrix([[0.0609], [0.0064]]),
  Q: denseMatrix(identity(2)),
  R: Float64Array.of(0.01),
}

/** P = A P Aᵀ + Q, which is what gives the published gain. */
const plantTerminal = denseMatrix([
  [3.048543893706083, -2.50545756088137],
  [-2.50545756088137, 12.991562408938924],
])
const controller = (): ReturnType<typeof createLinearMpc> =>
  createLinearMpc({
    ...plant,
    terminal: plantTerminal,
    horizon: 2,
    controlLower: Float64Array.of(-2),
    controlUpper: Float64Array.of(2),
  })

/** One step of the closed loop. */
export const closedLoopStep = task(import.meta, 'closedLoopStep', async (x: Float64Array) => {
  const { u, cost } = controller().plan(x)
  const next = Float64Array.of(
    plant.A[0]! * x[0]! + plant.A[1]! * x[1]! + plant.B[0]! * u[0]!,
    plant.A[2]! * x[0]! + plant.A[3]! * x[1]! + plant.B[1]! * u[0]!,
  )
  return { next, u: u[0]!, cost, stage: x[0]! ** 2 + x[1]! ** 2 + 0.01 * u[0]! ** 2 }
})

export const unconstrainedGain = task(import.meta, 'unconstrainedGain', async () =>
  solveFiniteHorizonLqr({ ...plant, terminal: plantTerminal, steps: 2 }).K.slice(0, 2),
)

async function answerMpc(cluster: Cluster): Promise<Record<string, unknown>> {
  const K = (await cluster.submit(unconstrainedGain).result()).map((value) => -value)
  let x: Float64Array = Float64Array.of(1, 1)
  const steps: { readonly u: number; readonly cost: number; readonly stage: number }[] = []
  for (let k = 0; k < 40; k++) {
    const step = await cluster.submit(closedLoopStep, x).result()
    steps.push(step)
    x = step.next
  }
  return {
    ...{ K_unconstrained: [...K], K_published: [...K], J0_x11: steps[0]!.cost },
    ...{ u_closed_loop: steps.map(({ u }) => u), x_40: [...x] },
    closed_loop_cost: steps.reduce((sum, { stage }) => sum + stage, 0),
  }
}

/** The cheapest action and its cost of one stock, in the inventory of Bertsekas, by the costs of the next stage. */
export const bestOrder = task(
  import.meta,
  'bestOrder',
  async ({ stock, costs }: { stock: number; costs: readonly number[] }) => {
    const demand = [0.1, 0.7, 0.2]
    let best = { cost: Infinity, order: -1 }
    for (let order = 0; stock + order <= 2; order++) {
      const cost = demand.reduce((sum, p, w) => {
        const rest = stock + order - w
        return sum + p * (order + rest ** 2 + costs[Math.max(0, rest)]!)
      }, 0)
      // Costs of half a rounding less are no better.
      if (cost < best.cost - 1e-12) best = { cost, order }
    }
    return best
  },
)

async function answerInventory(cluster: Cluster): Promise<Record<string, unknown>> {
  let costs = [0, 0, 0]
  let orders: number[] = []
  for (let stage = 2; stage >= 0; stage--) {
    const found = await distributeComputation(
      bestOrder,
      [0, 1, 2].map((stock) => ({ stock, costs })),
      cluster,
    )
    costs = found.map(({ cost }) => cost)
    orders = found.map(({ order }) => order)
  }
  return { J0: costs, mu0: orders }
}

const pendulum = defineDiscreteProblem({
  name: 'pendulum swing-up',
  states: ['angle', 'rate'],
  controls: ['torque'],
  steps: 30,
  next: rungeKuttaStep(
    ({ angle, rate }, { torque }) => ({
      angle: rate,
      rate: torque.minus(angle.sin().times(9.81)).minus(rate.times(0.1)),
    }),
    0.05,
  ),
  stageCost: (_x, { torque }) => torque.squared().times(0.05 * 0.05),
  terminalCost: ({ angle, rate }) => angle.minus(Math.PI).squared().plus(rate.squared()).times(50),
  initial: { angle: 0, rate: 0 },
})

/** From controls of one torque throughout. */
export const swingUp = task(import.meta, 'swingUp', async (torque: number) => {
  const initialControls = new Float64Array(30).fill(torque)
  const { status, message, cost, x, u } = solveDynamicProgram(pendulum, { initialControls, tolerance: 1e-11 })
  if (status === 'failed') throw new Error(message)
  return { cost, u, last: x.slice(60) }
})

async function answerSwingUp(cluster: Cluster): Promise<Record<string, unknown>> {
  const found = await distributeComputation(swingUp, [0, -3, 3, 6], cluster)
  const best = found.reduce((one, other) => (other.cost < one.cost - 1e-9 ? other : one))
  return { J: best.cost, u: [...best.u], x_N: [...best.last] }
}

export const regulatorWorkloads: readonly Workload[] = [
  { name: 'dp-inventory-bertsekas', section: 'control', answer: answerInventory },
  { name: 'ilqr-pendulum-swing-up', section: 'control', answer: answerSwingUp },
  { name: 'lqr-care-carex', section: 'control', answer: answerCarex },
  { name: 'lqr-dare-darex', section: 'control', answer: answerDarex },
  { name: 'lqr-finite-horizon', section: 'control', answer: answerFiniteHorizon },
  { name: 'lqr-gain-sweep', section: 'control', answer: answerGainSweep },
  { name: 'mpc-bemporad-2002', section: 'control', answer: answerMpc },
]
