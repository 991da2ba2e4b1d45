/** An answer beside the one that it is held against. */
export interface Check {
  /** What was computed. */
  readonly what: string
  readonly ours: number | string
  readonly reference: number | string
  /** How far they may be apart, for people. */
  readonly allowed: string
  /** Who published the reference, or what it follows from. */
  readonly source: string
  readonly isRight: boolean
}

interface Answer<T> {
  readonly what: string
  readonly ours: T
  readonly reference: T
  readonly source: string
}

/** A number within a distance of its reference, absolute or relative to it. One that is not finite is wrong. */
export function checkNumber(
  answer: Answer<number> & ({ readonly absolute: number } | { readonly relative: number }),
): Check {
  const { what, ours, reference, source } = answer
  const distance = Math.abs(ours - reference)
  if ('absolute' in answer) {
    return { what, ours, reference, source, allowed: `± ${answer.absolute}`, isRight: distance <= answer.absolute }
  }
  const isRight = distance <= answer.relative * Math.abs(reference)
  return { what, ours, reference, source, allowed: `${answer.relative}, relative`, isRight }
}

/** A number or a text that must be the same. */
export function checkSame({ what, ours, reference, source }: Answer<number | string>): Check {
  return { what, ours, reference, source, allowed: 'exact', isRight: ours === reference }
}

/** A number that must not be larger than the reference. */
export function checkAtMost({ what, ours, reference, source }: Answer<number>): Check {
  return { what, ours, reference, source, allowed: 'at most the reference', isRight: ours <= reference }
}

/** A list of numbers, each within a distance of its own reference; what is shown is how many are. */
export function checkEach(
  answer: Answer<ArrayLike<number>> & ({ readonly absolute: number } | { readonly relative: number }),
): Check {
  const { what, ours, reference, source } = answer
  const each = Array.from(reference, (value, k) => checkNumber({ ...answer, ours: ours[k] ?? NaN, reference: value }))
  const right = each.filter(({ isRight }) => isRight).length
  const isRight = right === reference.length && ours.length === reference.length && right > 0
  const isExact = ('absolute' in answer ? answer.absolute : answer.relative) === 0
  const allowed = isExact ? 'exact' : (each[0]?.allowed ?? 'exact')
  return { what, ours: `${right} right`, reference: `${reference.length}`, source, allowed, isRight }
}
