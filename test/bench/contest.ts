import { setTimeout as sleep } from 'node:timers/promises'

import type { Case } from './measurement.js'
import type { RowContext } from './row.js'
import { median } from './statistics.js'

/** Two sides that do the same work. */
export interface Contest {
  /** Runs of each side before those that count. */
  readonly warmUps: number
  /** One run of ours, in the row's unit. */
  readonly ours: () => Promise<number>
  /** The peer; undefined where it is missing. */
  readonly theirs: { readonly name: string; readonly run: () => Promise<number> } | undefined
  /** How long the machine rests before each run: what a run leaves behind is not the other side's cost. None unless given. */
  readonly restMs?: number
  /** Counted runs of each side where nothing else is asked for and the peer is not slow; 5 unless given. */
  readonly repeats?: number
}

/** Counted runs of each side, unless something else is asked for. */
export const usualRepeats = 5
const repeatsOfSlowPeer = 3
/** A peer whose run takes longer is counted less often. */
const slowRunMs = 60_000

/**
 * Runs both sides in turn, ours first, and gives the median of each. Counted runs: as many as the context asks for, else 3 where
 * one run of the peer takes over a minute, else what the contest says.
 */
export async function compare(
  { warmUps, ours: runOurs, theirs, restMs = 0, repeats: usual = usualRepeats }: Contest,
  { repeats: asked, nowMs, say }: Pick<RowContext, 'repeats' | 'nowMs' | 'say'>,
): Promise<Case> {
  const rested = (run: () => Promise<number>) => async (): Promise<number> => {
    if (restMs > 0) await sleep(restMs)
    return await run()
  }
  const ours = rested(runOurs)
  const runTheirs = theirs && rested(theirs.run)
  let slowestMs = 0
  for (let k = 1; k <= warmUps; k++) {
    say(`warm-up ${k} of ${warmUps}`)
    await ours()
    const startMs = nowMs()
    await runTheirs?.()
    slowestMs = Math.max(slowestMs, nowMs() - startMs)
  }
  const repeats = asked ?? (slowestMs > slowRunMs ? repeatsOfSlowPeer : usual)
  const ourRuns: number[] = []
  const theirRuns: number[] = []
  for (let k = 1; k <= repeats; k++) {
    ourRuns.push(await ours())
    if (runTheirs) theirRuns.push(await runTheirs())
    say(`${k} of ${repeats}: ours ${shown(ourRuns)}${theirs ? `, ${theirs.name} ${shown(theirRuns)}` : ''}`)
  }
  return {
    ours: median(ourRuns),
    peer: theirs ? theirs.name : null,
    theirs: theirs ? median(theirRuns) : null,
  }
}

function shown(runs: readonly number[]): string {
  return Number(runs.at(-1)?.toPrecision(4)).toLocaleString('en')
}
