import type { Case, Measurement } from './measurement.js'
import type { Target } from './target.js'

/** A row as `bench.json` holds it. */
export interface ReportRow {
  readonly name: string
  readonly ours: number
  readonly unit: string
  /** What ours is held against; null where it could not be had. */
  readonly peer: string | null
  readonly theirs: number | null
  /** How many times better ours is than the peer's: above 1 is better, whichever direction the unit goes. */
  readonly ratio: number | null
  readonly target: string
  /** Null where the target names a peer that could not be had. */
  readonly met: boolean | null
  readonly note?: string
}

/** How many times better ours is than theirs. */
export function ratioOf({ comparator }: Target, ours: number, theirs: number): number {
  return comparator === '≥' ? ours / theirs : theirs / ours
}

/** Whether the target is reached; null where it names a peer that is missing. */
export function isMet(target: Target, { ours, theirs }: Case): boolean | null {
  if (target.kind === 'own') return target.comparator === '≥' ? ours >= target.bound : ours <= target.bound
  if (theirs === null) return null
  const needed = target.comparator === '≥' ? target.factor : 1 / target.factor
  return ratioOf(target, ours, theirs) >= needed
}

/** The case that does worst by what the target is judged on: the ratio where it names a peer, else our own figure. */
export function worstOf(target: Target, cases: readonly Case[]): Case {
  const merit = ({ ours, theirs }: Case): number =>
    target.kind === 'peer' && theirs !== null ? ratioOf(target, ours, theirs) : target.comparator === '≥' ? ours : -ours
  return cases.reduce((worst, other) => (merit(other) < merit(worst) ? other : worst))
}

/** What was measured, judged and ready for the report. */
export function judge(
  row: { readonly name: string; readonly unit: string; readonly target: Target },
  { cases, note }: Measurement,
): ReportRow {
  const { name, unit, target } = row
  const worst = worstOf(target, cases)
  const { ours, peer, theirs } = worst
  const notes = [cases.length > 1 && worst.name ? `worst: ${worst.name}` : '', note ?? ''].filter((text) => text !== '')
  return {
    name,
    ours: roundTo(4, ours),
    unit,
    peer,
    theirs: theirs === null ? null : roundTo(4, theirs),
    ratio: theirs === null ? null : roundTo(4, ratioOf(target, ours, theirs)),
    target: target.text,
    met: isMet(target, worst),
    ...(notes.length > 0 ? { note: notes.join('; ') } : {}),
  }
}

function roundTo(digits: number, value: number): number {
  return Number(value.toPrecision(digits))
}
