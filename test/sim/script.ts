import { Dice } from './dice.js'

/** A short storm ends in a state that a long one passes through unseen; some faults need a long history. */
const stormsMs = [5_000, 10_000, 20_000, 40_000] as const
export const clientNames = ['ann', 'bob', 'cy'] as const

/** What goes wrong. */
export type StrikeKind =
  | 'cutLink'
  | 'partitionWorker'
  | 'crashWorker'
  | 'endWorker'
  | 'drainWorker'
  | 'addWorker'
  | 'cutSession'
  | 'killClient'
  | 'crashScheduler'

/** What a client does by itself. */
export type ActKind = 'submit' | 'cancel' | 'release' | 'scatter' | 'cutSession'

/** One thing that happens; `stream` names its own chance, so that it stays the same when others are left out. */
export type Step = { readonly atMs: number; readonly stream: number } & (
  | { readonly kind: 'strike'; readonly strike: StrikeKind }
  | { readonly kind: 'act'; readonly act: ActKind; readonly client: string }
)

/** Everything that is done to a mesh in a simulation; the rest follows from it. */
export interface Script {
  readonly stormMs: number
  readonly workers: number
  readonly steps: readonly Step[]
}

const strikeWeights: Readonly<Record<StrikeKind, number>> = {
  cutLink: 30,
  partitionWorker: 10,
  crashWorker: 20,
  endWorker: 8,
  drainWorker: 6,
  addWorker: 6,
  cutSession: 13,
  killClient: 2,
  crashScheduler: 5,
}
const actWeights: Readonly<Record<ActKind, number>> = {
  submit: 50,
  cancel: 10,
  release: 20,
  scatter: 10,
  cutSession: 10,
}

/** The script of a seed. In some storms the scheduler never crashes, in others again and again. */
export function writeScript(seed: number): Script {
  const dice = new Dice(seed, 1)
  let stream = 2
  const steps: Step[] = []
  const stormMs = dice.pick([...stormsMs]) ?? stormsMs[0]
  const weights = { ...strikeWeights, crashScheduler: dice.pick([0, 0, 0, 5, 20]) ?? 0 }
  for (let atMs = dice.between(100, 2_500); atMs < stormMs; atMs += dice.between(100, 2_500)) {
    steps.push({ atMs, stream: stream++, kind: 'strike', strike: choose(dice, weights) })
  }
  for (const client of clientNames) {
    for (let atMs = dice.between(100, 2_000); atMs < stormMs; atMs += dice.between(100, 2_000)) {
      steps.push({ atMs, stream: stream++, kind: 'act', act: choose(dice, actWeights), client })
    }
  }
  return { stormMs, workers: dice.between(1, 4), steps: steps.sort((a, b) => a.atMs - b.atMs) }
}

export function describeStep(step: Step): string {
  const what = step.kind === 'strike' ? step.strike : `${step.client} ${step.act}`
  return `${step.atMs.toFixed(0).padStart(7)} ms  ${what}`
}

function choose<Kind extends string>(dice: Dice, weights: Readonly<Record<Kind, number>>): Kind {
  const entries = Object.entries<number>(weights) as [Kind, number][]
  let roll = dice.between(
    1,
    entries.reduce((sum, [, weight]) => sum + weight, 0),
  )
  for (const [kind, weight] of entries) if ((roll -= weight) <= 0) return kind
  throw new Error('the dice rolled too high')
}
