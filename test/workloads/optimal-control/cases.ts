import { brysonDenham, rayleigh, vanDerPol, type PublishedProblem } from 'costate/control'

import { batchReactor, catalystMixing, stirredTank, tubularReactor } from './chemical-reactors.js'
import type { ControlCase } from './control-case.js'
import { belowMovingBound, fuller, hypersensitive, leastEffort, leastTime } from './double-integrators.js'
import { fishing, hangingChain, luusSingular, rayleighBelow, vanDerPolToCircle } from './oscillators.js'
import { brachistochrone, bryson, linearTangent, zermelo } from './steering.js'
import { cartPole, goddard, hangGlider, moonLander, quadrotor, robotArm } from './vehicles.js'

const published = ({ problem, intervals }: PublishedProblem): ControlCase => ({ problem, options: { intervals } })

/** The cases by name, each made from its parameters. */
export const controlCases = {
  ...{ leastEffort, leastTime, fuller, belowMovingBound, hypersensitive },
  ...{ rayleighBelow, vanDerPolToCircle, fishing, luusSingular, hangingChain },
  ...{ batchReactor, catalystMixing, stirredTank, tubularReactor },
  ...{ brachistochrone, bryson, linearTangent, zermelo },
  ...{ cartPole, goddard, hangGlider, moonLander, quadrotor, robotArm },
  brysonDenham: (stateBound: number) => published(brysonDenham({ stateBound })),
  vanDerPol: (horizon: 2 | 5) => published(vanDerPol({ horizon })),
  rayleigh: () => published(rayleigh()),
}

/** One case to be solved. */
export type ControlOrder = {
  readonly [Name in keyof typeof controlCases]: {
    readonly name: Name
    readonly parameters: Parameters<(typeof controlCases)[Name]>
  }
}[keyof typeof controlCases]

/** The case of an order. */
export function makeCase({ name, parameters }: ControlOrder): ControlCase {
  return (controlCases[name] as (...values: readonly unknown[]) => ControlCase)(...parameters)
}
