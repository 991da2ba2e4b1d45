import { defineProblem } from 'costate/control'

import type { ControlCase } from './control-case.js'

/** A → B → C in a batch: the temperature that leaves the most of B. In hundreds of kelvin. */
export function batchReactor(): ControlCase {
  return {
    problem: defineProblem({
      name: 'batch reactor',
      states: ['a', 'b'],
      controls: ['temperature'],
      horizon: 1,
      dynamics: ({ a, b }, { temperature }) => {
        const inverse = temperature.power(-1)
        const first = inverse.times(-25).exp().times(4_000).times(a.squared())
        return { a: first.negated(), b: first.minus(inverse.times(-50).exp().times(620_000).times(b)) }
      },
      terminalCost: ({ b }) => b.negated(),
      controlBounds: { temperature: { lower: 2.98, upper: 3.98 } },
      initial: { a: 1, b: 0 },
    }),
    options: {
      intervals: 100,
      method: 'interiorPoint',
      initialGuess: () => ({ x: { a: 0.7, b: 0.4 }, u: { temperature: 3.4 } }),
    },
  }
}

/** Two catalysts mixed along a tubular reactor (COPS 3.0). */
export function catalystMixing(): ControlCase {
  return {
    problem: defineProblem({
      name: 'catalyst mixing',
      states: ['x1', 'x2'],
      controls: ['u'],
      horizon: 1,
      dynamics: ({ x1, x2 }, { u }) => {
        const exchange = u.times(x2.times(10).minus(x1))
        return { x1: exchange, x2: exchange.negated().minus(u.negated().plus(1).times(x2)) }
      },
      terminalCost: ({ x1, x2 }) => x1.plus(x2).minus(1),
      controlBounds: { u: { lower: 0, upper: 1 } },
      initial: { x1: 1, x2: 0 },
    }),
    options: {
      intervals: 500,
      method: 'interiorPoint',
      // On the singular arc Hermite–Simpson lets the control ring from node to node.
      scheme: 'trapezoidal',
      initialGuess: () => ({ u: { u: 0.5 } }),
    },
  }
}

/** A continuous stirred tank with a local minimum besides the global one (Luus). */
export function stirredTank(): ControlCase {
  return {
    problem: defineProblem({
      name: 'stirred tank',
      states: ['x1', 'x2'],
      controls: ['u'],
      horizon: 0.78,
      dynamics: ({ x1, x2 }, { u }) => {
        const rate = x2.plus(0.5).times(x1.times(25).dividedBy(x1.plus(2)).exp())
        return { x1: rate.minus(u.plus(2).times(x1.plus(0.25))), x2: x2.negated().plus(0.5).minus(rate) }
      },
      runningCost: ({ x1, x2 }, { u }) => x1.squared().plus(x2.squared()).plus(u.squared().times(0.1)),
      initial: { x1: 0.09, x2: 0.09 },
    }),
    options: {
      intervals: 100,
      method: 'interiorPoint',
      initialGuess: (fraction) => ({
        x: { x1: 0.09 * (1 - fraction), x2: 0.09 * (1 - fraction) },
        u: { u: 4 - 3 * fraction },
      }),
    },
  }
}

/** A tubular reactor with parallel reactions. */
export function tubularReactor(): ControlCase {
  return {
    problem: defineProblem({
      name: 'tubular reactor',
      states: ['x1', 'x2'],
      controls: ['u'],
      horizon: 1,
      dynamics: ({ x1 }, { u }) => ({ x1: u.plus(u.squared().times(0.5)).times(x1).negated(), x2: u.times(x1) }),
      terminalCost: ({ x2 }) => x2.negated(),
      controlBounds: { u: { lower: 0, upper: 5 } },
      initial: { x1: 1, x2: 0 },
    }),
    options: { intervals: 100, method: 'interiorPoint', initialGuess: () => ({ u: { u: 1 } }) },
  }
}
