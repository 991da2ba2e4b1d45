import { expect, test } from 'vitest'
import { createRng } from '#libs/domain'
import { solveOptimalControl, type SolveOptions } from './optimal-control.js'
import { defineProblem } from './problem.js'
import { guessRandom } from './trajectory.js'
import { brysonDenham } from './problems/bryson-denham.js'
import { rayleigh } from './problems/rayleigh.js'
import { vanDerPol } from './problems/van-der-pol.js'

const PROBLEMS = [
  ...[0.04, 0.041, 0.05, 0.07, 0.1, 1 / 9, 0.15, 1 / 6, 0.17, 0.2, 0.2345, 0.25, 0.3, 0.5].map((stateBound) =>
    brysonDenham({ stateBound }),
  ),
  vanDerPol({ horizon: 2 }),
  vanDerPol({ horizon: 5 }),
  rayleigh(),
].map((published) => [published.problem.name, published] as const)

test.each(PROBLEMS)('%s: the published cost', (_name, { problem, intervals, published }) => {
  const solution = solveOptimalControl(problem, { intervals })
  expect(solution.status).toBe('solved')
  expect(Math.abs(solution.objective / published.objective - 1)).toBeLessThanOrEqual(published.relativeTolerance)
  expect(solution.infeasibility).toBeLessThanOrEqual(1e-8)
  expect(solution.stationarity).toBeLessThanOrEqual(1e-8)
})

const MULTI_STARTS = PROBLEMS.slice(-3).flatMap(([name, published]) =>
  [2, 10].map((size) => ({ name, size, published })),
)
test.each(MULTI_STARTS)('$name: the published cost from twenty random guesses $size wide', ({ size, published }) => {
  const { problem, intervals, published: answer } = published
  for (let stream = 0; stream < 20; stream++) {
    const rng = createRng(20240101, stream)
    const initialGuess = guessRandom(problem, intervals, () => rng.normal(), size)
    const solution = solveOptimalControl(problem, { intervals, initialGuess })
    expect(solution.status).toBe('solved')
    expect(Math.abs(solution.objective / answer.objective - 1)).toBeLessThanOrEqual(answer.relativeTolerance)
  }
})

test('the trajectory has the shapes told, meets the ends and stays inside the bound', () => {
  const intervals = 40
  const { t, x, u, costates } = solveOptimalControl(brysonDenham({ stateBound: 0.1 }).problem, { intervals })
  const nodes = 2 * intervals + 1
  expect([t.length, x.length, u.length, costates.length]).toEqual([nodes, 2 * nodes, nodes, 2 * nodes])
  expect([t[0], t[intervals], t[nodes - 1]]).toEqual([0, 0.5, 1])
  expect([...x.subarray(0, 2), ...x.subarray(2 * nodes - 2)]).toEqual([0, 1, 0, -1])
  // On the boundary arc, 0.3 < t < 0.7, the exact solution rests at the bound.
  expect(x[nodes - 1]).toBeCloseTo(0.1, 5)
  expect(u[intervals]).toBeCloseTo(0, 3)
  for (let node = 0; node < nodes; node++) expect(x[2 * node]).toBeLessThanOrEqual(0.1)
})

test('the error falls with the fourth power of the step', () => {
  const { problem, published } = vanDerPol({ horizon: 5 })
  const error = (intervals: number): number =>
    solveOptimalControl(problem, { intervals }).objective - published.objective
  expect(error(40) / error(80)).toBeGreaterThan(14)
  expect(error(40) / error(80)).toBeLessThan(18)
})

test('costates are the derivative of the optimal cost by the state', () => {
  const costFrom = (x1: number): ReturnType<typeof solveOptimalControl> =>
    solveOptimalControl({ ...vanDerPol({ horizon: 2 }).problem, initial: { x1, x2: 0 } }, { intervals: 80 })
  const { costates, u } = costFrom(1)
  const slope = (costFrom(1.001).objective - costFrom(0.999).objective) / 0.002
  expect(costates[0]! / slope - 1).toBeCloseTo(0, 3)
  // The Hamiltonian ½u² + p₂u is stationary in the control at every node, and the free end has no price.
  u.forEach((control, node) => expect(control).toBeCloseTo(-costates[2 * node + 1]!, 7))
  expect(costates[costates.length - 1]).toBeCloseTo(0, 3)
})

test('two solves give the same bits', () => {
  const { problem, intervals } = rayleigh()
  expect(solveOptimalControl(problem, { intervals })).toEqual(solveOptimalControl(problem, { intervals }))
})

/** Tubular reactor with parallel reactions: Dadebo & McAuley (1995) give 0.57353; its costate equation, 0.573545057541. */
const tubularReactor = defineProblem({
  name: 'tubular reactor',
  states: ['x1', 'x2'],
  controls: ['u'],
  horizon: 1,
  dynamics: ({ x1 }, { u }) => ({ x1: u.plus(u.squared().times(0.5)).times(x1).negated(), x2: u.times(x1) }),
  terminalCost: ({ x2 }) => x2.negated(),
  controlBounds: { u: { lower: 0, upper: 5 } },
  initial: { x1: 1, x2: 0 },
})

test('a terminal cost, a bound on the control that holds, and Hessians that are not convex', () => {
  const solution = solveOptimalControl(tubularReactor, { intervals: 50 })
  expect(solution.status).toBe('solved')
  expect(Math.abs(solution.objective / -0.573545057541 - 1)).toBeLessThan(2e-5)
  expect(Math.max(...solution.u)).toBeCloseTo(5, 6)
})

const transfer = (final: number): typeof tubularReactor => ({
  ...defineProblem({
    name: 'transfer',
    states: ['x1', 'x2'],
    controls: ['u'],
    horizon: 1,
    dynamics: ({ x2 }, { u }) => ({ x1: x2, x2: u }),
    runningCost: (_x, { u }) => u.squared(),
    controlBounds: { u: { lower: -1, upper: 1 } },
    initial: { x1: 0, x2: 0 },
    final: { x1: final, x2: 0 },
  }),
})

test('what cannot be reached in time is reported as infeasible; what can is reached', () => {
  // Bang-bang covers a quarter of the force times the square of the time.
  expect(solveOptimalControl(transfer(0.2), { intervals: 30 }).status).toBe('solved')
  const solution = solveOptimalControl(transfer(0.3), { intervals: 30 })
  expect(solution.status).toBe('failed')
  expect(solution.message).toMatch(/^infeasible/)
  expect(solution.infeasibility).toBeGreaterThan(1e-4)
})

test('nonlinear dynamics that cannot get there are infeasible too', () => {
  const { problem } = vanDerPol({ horizon: 2 })
  const solution = solveOptimalControl(
    { ...problem, horizon: 1, final: { x1: 5, x2: 0 }, controlBounds: { u: { lower: -1, upper: 1 } } },
    { intervals: 30 },
  )
  expect(solution.status).toBe('failed')
  expect(solution.message).toMatch(/^infeasible/)
})

test('an end outside the bounds is named', () => {
  const { problem } = brysonDenham({ stateBound: 0.1 })
  const solution = solveOptimalControl({ ...problem, initial: { position: 0.5, speed: 1 } }, { intervals: 20 })
  expect(solution.status).toBe('failed')
  expect(solution.message).toBe(
    'infeasible: the initial value 0.5 of position lies outside its bounds [-Infinity, 0.1]',
  )
})

test('a cost without end is reported as unbounded', () => {
  const fall = defineProblem({
    name: 'fall',
    states: ['x'],
    controls: ['u'],
    horizon: 1,
    dynamics: (_x, { u }) => ({ x: u }),
    terminalCost: ({ x }) => x,
    initial: { x: 0 },
  })
  const solution = solveOptimalControl(fall, { intervals: 10 })
  expect(solution.status).toBe('failed')
  expect(solution.message).toMatch(/^unbounded/)
})

test('dynamics that are not a number at the guess are reported', () => {
  const root = defineProblem({
    name: 'root',
    states: ['x'],
    controls: ['u'],
    horizon: 1,
    dynamics: ({ x }, { u }) => ({ x: x.sqrt().plus(u) }),
    runningCost: (_x, { u }) => u.squared(),
    initial: { x: -1 },
  })
  const solution = solveOptimalControl(root, { intervals: 10 })
  expect(solution.status).toBe('failed')
  expect(solution.message).toMatch(/not finite at the initial guess/)
})

test('iterations are reported in order, and their limit is a status', () => {
  const { problem, intervals, published } = rayleigh()
  const objectives: number[] = []
  const solution = solveOptimalControl(problem, {
    intervals,
    onIterate: ({ iteration, objective }) => (objectives[iteration] = objective),
  })
  expect(objectives.length).toBe(solution.iterations + 1)
  expect(objectives.at(-1)).toBe(solution.objective)
  const cut = solveOptimalControl(problem, { intervals, maxIterations: 3 })
  expect([cut.status, cut.iterations, cut.objective]).toEqual(['iterationLimit', 3, objectives[3]])
  expect(Math.abs(cut.objective - published.objective)).toBeGreaterThan(1e-6)
})

test('an aborted signal ends the solve at the next iteration with its reason', () => {
  const { problem, intervals } = rayleigh()
  const controller = new AbortController()
  const reason = new Error('enough')
  let seen = 0
  const solve = (): unknown =>
    solveOptimalControl(problem, {
      intervals,
      signal: controller.signal,
      onIterate: ({ iteration }) => {
        seen = iteration
        if (iteration === 2) controller.abort(reason)
      },
    })
  expect(solve).toThrow(reason)
  expect(seen).toBe(2)
})

test.each<[string, SolveOptions]>([
  ['intervals', { intervals: 0 }],
  ['intervals', { intervals: 2.5 }],
  ['tolerance', { intervals: 10, tolerance: 0 }],
  ['tolerance', { intervals: 10, tolerance: NaN }],
  ['maxIterations', { intervals: 10, maxIterations: -1 }],
  ['initialGuess.x', { intervals: 10, initialGuess: { x: new Float64Array(3), u: new Float64Array(21) } }],
  ['initialGuess.u', { intervals: 10, initialGuess: { x: new Float64Array(42), u: new Float64Array(21).fill(NaN) } }],
])('a malformed %s is refused by name', (name, options) => {
  const { problem } = rayleigh()
  expect(() => solveOptimalControl(problem, options)).toThrow(RangeError)
  expect(() => solveOptimalControl(problem, options)).toThrow(new RegExp(`^${name}[ [(]`))
})

test.each([0, -0.1, NaN])('a Bryson–Denham bound of %d is refused', (stateBound) => {
  expect(() => brysonDenham({ stateBound })).toThrow(/^stateBound is/)
})
