import { type Cluster, task } from 'costate'
import { solveOptimalControl, type Solution } from 'costate/control'
import { distributeComputation } from 'costate/primitives'
import { Matrix, QrDecomposition } from 'ml-matrix'

import type { Workload } from '../workload.js'
import { makeCase, type ControlOrder, type controlCases } from './cases.js'

type Answer = Pick<Solution, 'horizon' | 'objective' | 't' | 'u' | 'x'>

/** Solves one case; the published answer stays out of it. */
export const solveCase = task(import.meta, 'solveCase', (order: ControlOrder, ctx): Answer => {
  const { problem, options } = makeCase(order)
  const { status, message, ...solution } = solveOptimalControl(problem, {
    ...options,
    signal: ctx.signal,
    onIterate: ({ iteration, objective }) => ctx.progress(Math.min(1, iteration / 200), { iteration, cost: objective }),
  })
  if (status !== 'solved') throw new Error(`${problem.name}: ${message}`)
  const { horizon, objective, t, x, u } = solution
  return { horizon, objective, t, x, u }
})

function order<Name extends keyof typeof controlCases>(
  name: Name,
  ...parameters: Parameters<(typeof controlCases)[Name]>
): ControlOrder {
  return { name, parameters } as unknown as ControlOrder
}

type Key = (answer: Answer) => unknown

const cost: Key = ({ objective }) => objective
const gain: Key = ({ objective }) => -objective
const time: Key = ({ horizon }) => horizon

/** A workload of one solve. */
function single(name: string, ordered: ControlOrder, keys: Readonly<Record<string, Key>>): Workload {
  const answer = async (cluster: Cluster): Promise<Record<string, unknown>> => {
    const [solved] = await distributeComputation(solveCase, [ordered], cluster)
    return Object.fromEntries(Object.entries(keys).map(([key, read]) => [key, read(solved!)]))
  }
  return { name, section: 'control', answer }
}

/** A workload of several solves, one for each key. */
function several(name: string, orders: Readonly<Record<string, ControlOrder>>, read: Key): Workload {
  const answer = async (cluster: Cluster): Promise<Record<string, unknown>> => {
    const solved = await distributeComputation(solveCase, Object.values(orders), cluster)
    return Object.fromEntries(Object.keys(orders).map((key, k) => [key, read(solved[k]!)]))
  }
  return { name, section: 'control', answer }
}

/** Rows of so many values. */
function rowsOf<T>(values: readonly T[], width: number): T[][] {
  return Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width))
}

async function answerLeastEffort(cluster: Cluster): Promise<Record<string, unknown>> {
  const points = [0.5, 1, 2, 3].flatMap((distance) => [0.5, 1, 2, 4].map((horizon) => [distance, horizon] as const))
  const solved = await distributeComputation(
    solveCase,
    points.map((point) => order('leastEffort', ...point)),
    cluster,
  )
  const unit = solved[points.findIndex(([distance, horizon]) => distance === 1 && horizon === 1)]!
  return {
    J: rowsOf(
      solved.map(({ objective }) => objective),
      4,
    ),
    ...{ J_d1_T1: unit.objective, int_u2_d1_T1: 2 * unit.objective, u0_d1_T1: unit.u[0] },
  }
}

async function answerLeastTime(cluster: Cluster): Promise<Record<string, unknown>> {
  const points = [0.25, 1, 4, 9].flatMap((distance) => [0.5, 1, 2].map((most) => [distance, most] as const))
  const solved = await distributeComputation(
    solveCase,
    points.map((point) => order('leastTime', ...point)),
    cluster,
  )
  const unit = solved[points.findIndex(([distance, most]) => distance === 1 && most === 1)]!
  return {
    T: rowsOf(
      solved.map(({ horizon }) => horizon),
      3,
    ),
    T_d1_u1: unit.horizon,
  }
}

async function answerBrysonDenham(cluster: Cluster): Promise<Record<string, unknown>> {
  const l = Array.from({ length: 14 }, (_, k) => (4 + 2 * k) / 100)
  const orders = [...l, 1 / 9].map((stateBound) => order('brysonDenham', stateBound))
  const costs = (await distributeComputation(solveCase, orders, cluster)).map(({ objective }) => objective)
  return { l, J: costs.slice(0, 14), J_l_1_9: costs[14], J_l_0_1: costs[l.indexOf(0.1)] }
}

/**
 * The catenary's scale and lowest point. Along it, with lengths s from the lowest point on and heights h above the axis, h² = s² + k²:
 * a linear least-squares problem in the places of both. And s = k sinh((t - t₀) / k).
 */
function fitCatenary({ t, x }: Answer): { k: number; t0: number } {
  const nodes = Array.from(t.keys())
  const height = nodes.map((node) => x[2 * node]!)
  const length = nodes.map((node) => x[2 * node + 1]!)
  const rows = nodes.map((node) => [2 * length[node]!, -2 * height[node]!, -1])
  const squares = nodes.map((node) => [length[node]! ** 2 - height[node]! ** 2])
  const [s0, axis, rest] = new QrDecomposition(new Matrix(rows)).solve(new Matrix(squares)).to1DArray() as [
    number,
    number,
    number,
  ]
  const k = Math.sqrt(rest - s0 ** 2 + axis ** 2)
  const lowest = nodes.map((node) => t[node]! - k * Math.asinh((length[node]! - s0) / k))
  return { k, t0: lowest.reduce((sum, value) => sum + value / nodes.length, 0) }
}

/** The integral of the first control over time, by the rule of its mesh. */
function integrateControl({ t, u }: Answer): number {
  let sum = 0
  for (let node = 0; node + 2 < t.length; node += 2) {
    sum += ((t[node + 2]! - t[node]!) * (u[node]! + 4 * u[node + 1]! + u[node + 2]!)) / 6
  }
  return sum
}

const lander = { weight: 1.227, exhaust: 2.349 }

export const controlWorkloads: readonly Workload[] = [
  single('oc-batch-reactor', order('batchReactor'), { x2_max: gain }),
  several(
    'oc-brachistochrone',
    {
      T_dymos: order('brachistochrone', [0, 10], [10, 5], 9.80665),
      T_unit: order('brachistochrone', [0, 1], [1, 0], 9.81),
    },
    time,
  ),
  { name: 'oc-bryson-denham-sweep', section: 'control', answer: answerBrysonDenham },
  single('oc-bryson-max-range', order('bryson'), { x_max: gain }),
  single('oc-cart-pole-swing-up', order('cartPole'), { J: cost }),
  single('oc-catalyst-mixing', order('catalystMixing'), {
    J: cost,
    // In the middle of the singular arc.
    u_singular: ({ u }) => u[Math.floor(0.43 * u.length)],
  }),
  single('oc-cstr-luus', order('stirredTank'), { J: cost }),
  single('oc-fuller', order('fuller'), { J: cost }),
  single('oc-goddard-rocket-cops', order('goddard'), { h_max: gain, tf: time }),
  single('oc-hang-glider-cops', order('hangGlider'), {
    x_max: ({ objective }) => -1_000 * objective,
    tf: ({ horizon }) => 100 * horizon,
  }),
  single('oc-hanging-chain', order('hangingChain'), {
    E: cost,
    k: (answer) => fitCatenary(answer).k,
    t0: (answer) => fitCatenary(answer).t0,
  }),
  single('oc-hypersensitive', order('hypersensitive'), { J: cost }),
  single('oc-linear-tangent-steering', order('linearTangent'), { T: time }),
  single('oc-lotka-volterra-fishing-relaxed', order('fishing'), { J: cost }),
  single('oc-luus-singular', order('luusSingular'), { J: cost }),
  { name: 'oc-min-energy-double-integrator', section: 'control', answer: answerLeastEffort },
  { name: 'oc-min-time-double-integrator', section: 'control', answer: answerLeastTime },
  single('oc-moon-lander', order('moonLander'), {
    J: cost,
    // First it falls, then it burns with full thrust.
    t_coast: ({ horizon, objective }) => horizon - objective / lander.weight,
    tf: time,
    m_final: ({ objective }) => 1 - objective / lander.exhaust,
  }),
  single('oc-planar-quadrotor', order('quadrotor'), { J: cost }),
  several('oc-rayleigh', { J_A: order('rayleigh'), J_B: order('rayleighBelow') }, cost),
  single('oc-robot-arm-cops', order('robotArm'), { T: time }),
  single('oc-state-constraint-x1', order('belowMovingBound', 'x1'), { J: cost }),
  single('oc-time-varying-state-constraint', order('belowMovingBound', 'x2'), { J: cost }),
  single('oc-tubular-reactor', order('tubularReactor'), { J: gain }),
  several('oc-van-der-pol', { J_T2: order('vanDerPol', 2), J_T5: order('vanDerPol', 5) }, cost),
  single('oc-vdp-min-time', order('vanDerPolToCircle'), {
    T: time,
    // u is -1 up to the switch, then 1.
    t1: (answer) => (answer.horizon - integrateControl(answer)) / 2,
  }),
  single('oc-zermelo-shear', order('zermelo'), { T: time, theta0_deg: ({ u }) => (u[0]! * 180) / Math.PI }),
]
