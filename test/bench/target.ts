/** What a row is to reach. `≥` says that more is better in the row's unit, `≤` that less is. */
export type Target =
  | {
      /** Judged on the ratio to the row's peer. */
      readonly kind: 'peer'
      readonly comparator: '≥' | '≤'
      /** What the peer's figure is multiplied with to give the bound of ours. */
      readonly factor: number
      /** The row's one peer. */
      readonly peer: string
      readonly text: string
    }
  | {
      /** Judged on our own figure. */
      readonly kind: 'own'
      readonly comparator: '≥' | '≤'
      /** In the row's unit. */
      readonly bound: number
      readonly text: string
    }

/** At least so many times the peer's figure: `≥ 30× Dask`. */
export function atLeastTimes(factor: number, peer: string): Target {
  return { kind: 'peer', comparator: '≥', factor, peer, text: `≥ ${factor}× ${peer}` }
}

/** At most so many times the peer's figure: `≤ 1.5× Dask`. */
export function atMostTimes(factor: number, peer: string): Target {
  return { kind: 'peer', comparator: '≤', factor, peer, text: `≤ ${factor}× ${peer}` }
}

/** At most one part in so many of the peer's figure: `≤ 1/8 of Dask`. */
export function atMostPart(parts: number, peer: string): Target {
  return { kind: 'peer', comparator: '≤', factor: 1 / parts, peer, text: `≤ 1/${parts} of ${peer}` }
}

/** At most another figure of the peer's: `≤ Dask's p50`. */
export function atMostFigure(peer: string, figure: string): Target {
  return { kind: 'peer', comparator: '≤', factor: 1, peer, text: `≤ ${peer}'s ${figure}` }
}

/** At least so much, in the row's unit: `≥ 0.95`. */
export function atLeast(bound: number, unit: string): Target {
  return { kind: 'own', comparator: '≥', bound, text: `≥ ${bound} ${unit}`.trimEnd() }
}

/** At most so much, in the row's unit: `≤ 0.5 s`. */
export function atMost(bound: number, unit: string): Target {
  return { kind: 'own', comparator: '≤', bound, text: `≤ ${bound} ${unit}`.trimEnd() }
}
