import { createRng } from '#libs/domain'

/** Which rows test a fold; the others train it. */
export interface Fold {
  /** uint32, ascending. */
  readonly train: Uint32Array
  /** uint32, ascending. */
  readonly test: Uint32Array
}

/** How to divide rows. */
export interface FoldOptions {
  readonly nFolds: number
  /** The class of each row: every fold then has its share of every class. */
  readonly labels?: readonly unknown[] | undefined
  /** Deals rows out by chance, not in their order. */
  readonly shuffle?: boolean | undefined
  /** Of the shuffle; 0 unless given. */
  readonly seed?: bigint | number | undefined
}

/**
 * Divides rows into folds whose sizes differ by at most one. Unless shuffled, folds are contiguous blocks. Stratified, each class
 * is dealt out like that by itself, going on where the class before it ended, so that both a fold's size and its share of every
 * class differ by at most one (Kohavi 1995).
 *
 * @throws RangeError for fewer than two folds, more folds than rows, or a class with fewer rows than folds.
 */
export function divideRows(rows: number, { nFolds, labels, shuffle = false, seed = 0 }: FoldOptions): Fold[] {
  if (!Number.isInteger(nFolds) || nFolds < 2) {
    throw new RangeError(`cross-validation: nFolds is ${nFolds}; give a whole number from 2`)
  }
  if (nFolds > rows) throw new RangeError(`cross-validation: ${nFolds} folds of ${rows} rows: give at most one per row`)
  if (labels && labels.length !== rows) {
    throw new RangeError(`cross-validation: there are ${labels.length} labels for ${rows} rows`)
  }
  const order = shuffle ? shuffled(rows, seed) : Array.from({ length: rows }, (_, row) => row)
  const foldOf = new Uint32Array(rows)
  if (labels === undefined) deal(order, nFolds, 0, foldOf)
  else {
    let first = 0
    for (const [label, members] of groupBy(order, labels)) {
      if (members.length < nFolds) {
        throw new RangeError(
          `cross-validation: class ${String(label)} has ${members.length} rows, too few for ${nFolds} stratified folds`,
        )
      }
      deal(members, nFolds, first, foldOf)
      first = (first + members.length) % nFolds
    }
  }
  return Array.from({ length: nFolds }, (_, fold) => ({
    train: Uint32Array.from(range(rows).filter((row) => foldOf[row] !== fold)),
    test: Uint32Array.from(range(rows).filter((row) => foldOf[row] === fold)),
  }))
}

/** Blocks in order; the first ones after `first` have one more where it does not come out even. */
function deal(order: readonly number[], nFolds: number, first: number, foldOf: Uint32Array): void {
  const [least, more] = [Math.floor(order.length / nFolds), order.length % nFolds]
  let at = 0
  for (let k = 0; k < nFolds; k++) {
    const fold = (first + k) % nFolds
    const size = least + (k < more ? 1 : 0)
    for (let i = 0; i < size; i++) foldOf[order[at++]!] = fold
  }
}

/** Fisher & Yates, from stream 0 of the seed. */
function shuffled(rows: number, seed: bigint | number): number[] {
  const rng = createRng(seed, 0)
  const order = range(rows)
  for (let i = rows - 1; i > 0; i--) {
    const j = rng.integer(0, i + 1)
    const other = order[i]!
    order[i] = order[j]!
    order[j] = other
  }
  return order
}

function groupBy(order: readonly number[], labels: readonly unknown[]): Map<unknown, number[]> {
  const groups = new Map<unknown, number[]>()
  for (const row of order) {
    const label = labels[row]
    const members = groups.get(label)
    if (members) members.push(row)
    else groups.set(label, [row])
  }
  return groups
}

function range(length: number): number[] {
  return Array.from({ length }, (_, k) => k)
}
