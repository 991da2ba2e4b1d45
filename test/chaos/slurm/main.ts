import { installSlurm } from '../../harness/slurm/packages.js'
import { adaptScenarios } from './adapt.js'
import { clockScenarios } from './clock-skew.js'
import { controllerScenarios } from './controller-faults.js'
import { lostNodeScenarios } from './lost-nodes.js'
import { poolEditScenarios } from './pool-edits.js'
import type { Scenario } from './scene.js'
import { walltimeScenarios } from './walltime.js'

const exitCodes = { kept: 0, broken: 1, usage: 2 }
const all: readonly Scenario[] = [
  ...lostNodeScenarios,
  ...walltimeScenarios,
  ...controllerScenarios,
  ...clockScenarios,
  ...poolEditScenarios,
  ...adaptScenarios,
]

/** Runs the scenarios that are named, or all, and says whether every promise was kept. */
async function run(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !all.some((scenario) => scenario.name === name))
  if (unknown.length > 0) {
    print(`there is no scenario ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`)
    return exitCodes.usage
  }
  const missing = await installSlurm()
  if (missing !== undefined) {
    print(`${'!'.repeat(80)}\nCHAOS ON A REAL SLURM IS LEFT OUT: ${missing}\n${'!'.repeat(80)}`)
    return process.env['COSTATE_TEST_SLURM'] === 'required' ? exitCodes.broken : exitCodes.kept
  }
  const chosen = names.length === 0 ? all : all.filter(({ name }) => names.includes(name))
  let broken = 0
  for (const scenario of chosen) {
    print(`${scenario.name}: ${scenario.what}`)
    const startedAtMs = Date.now()
    try {
      for (const figure of await scenario.run()) print(`  ${figure}`)
      print(`  kept, ${Math.round((Date.now() - startedAtMs) / 1_000)} s`)
    } catch (error) {
      broken += 1
      print(`  BROKEN: ${(error as Error).stack ?? String(error)}`)
    }
  }
  print(broken === 0 ? 'every promise was kept' : `${broken} of ${chosen.length} scenarios broke a promise`)
  return broken === 0 ? exitCodes.kept : exitCodes.broken
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

process.exitCode = await run((process.env['SCENARIOS'] ?? '').split(/[ ,]+/).filter((name) => name !== ''))
