/**
 * Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC'11). Every number is a pure function of (seed, stream, n), so results can't depend on which worker drew them, on how
 * many workers there were, or on how often a task was tried.
 *
 * The stream convention. key = (seed mod 2^32, floor(seed / 2^32)); counter = (block mod 2^32, floor(block / 2^32),
 * stream mod 2^32, floor(stream / 2^32)). A block of four words w0…w3 makes two doubles in [0, 1):
 * u0 = ((w0 >>> 5) · 2^26 + (w1 >>> 6)) / 2^53, and u1 likewise from w2, w3. Uniform number n is element n mod 2 of block
 * floor(n / 2). Normal number n is element n mod 2 of the Box–Muller pair of block floor(n / 2):
 * r = sqrt(-2 · log1p(-u0)), (r cos 2πu1, r sin 2πu1).
 */

/**
 * A stream of random numbers. Draws of uniform numbers alone, or of normal numbers alone, are those of the convention above. Whoever
 * draws both gets independent ones: each pair takes the next block, of whichever kind it is.
 */
export interface Rng {
  /** The next uniform number of the stream, in [0, 1), with 53 random bits. */
  uniform(): number
  /** The next normal number of the stream: mean 0, variance 1. */
  normal(): number
  /**
   * An integer in [low, highExclusive), made of one uniform number: floor(u · range). The bias is below range / 2^53.
   * @throws RangeError when an end is not a safe integer or the range is empty or above 2^53 - 1.
   */
  integer(low: number, highExclusive: number): number
  /** The next `n` uniform numbers, float64[n]. */
  uniforms(n: number): Float64Array
  /** The next `n` normal numbers, float64[n]. */
  normals(n: number): Float64Array
  /**
   * An independent generator, a pure function of (seed, stream, substream): it does not matter how much was drawn before.
   * Its key and stream are one Philox block of this generator's under a key of their own; that adds to the convention above
   * and is ours alone.
   */
  fork(substream: number): Rng
}

const TWO_32 = 4294967296
const TWO_26 = 67108864
const TWO_53 = 9007199254740992
const TWO_PI = 6.283185307179586
/** 'fork' in ASCII: keeps the blocks that name substreams apart from the blocks that are drawn. */
const FORK_KEY = 0x666f726b

/** Philox4x32 of four counter words and two key words into `out`; a 32×32→64 bit product is made of 16-bit halves. */
function encrypt(
  out: Uint32Array,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
  rounds: number,
): void {
  // Multipliers 0xd2511f53 and 0xcd9e8d57 of the rounds with their halves, and the Weyl constants by which the key moves on. Here and
  // not outside: a bundler makes variables of constants of the module, with which the rounds take 1.3 to 1.6 times as long.
  const M0 = 0xd2511f53
  const M0_LOW = 0x1f53
  const M0_HIGH = 0xd251
  const M1 = 0xcd9e8d57
  const M1_LOW = 0x8d57
  const M1_HIGH = 0xcd9e
  const WEYL_0 = 0x9e3779b9
  const WEYL_1 = 0xbb67ae85
  for (let round = 0; round < rounds; round++) {
    const aLow = c0 & 0xffff
    const aHigh = c0 >>> 16
    const aMid = (Math.imul(aHigh, M0_LOW) + (Math.imul(aLow, M0_LOW) >>> 16)) | 0
    const aCarry = ((Math.imul(aLow, M0_HIGH) + (aMid & 0xffff)) | 0) >>> 16
    const high0 = (Math.imul(aHigh, M0_HIGH) + (aMid >>> 16) + aCarry) | 0
    const low0 = Math.imul(c0, M0)
    const bLow = c2 & 0xffff
    const bHigh = c2 >>> 16
    const bMid = (Math.imul(bHigh, M1_LOW) + (Math.imul(bLow, M1_LOW) >>> 16)) | 0
    const bCarry = ((Math.imul(bLow, M1_HIGH) + (bMid & 0xffff)) | 0) >>> 16
    const high1 = (Math.imul(bHigh, M1_HIGH) + (bMid >>> 16) + bCarry) | 0
    const low1 = Math.imul(c2, M1)
    c2 = high0 ^ c3 ^ k1
    c3 = low0
    c0 = high1 ^ c1 ^ k0
    c1 = low1
    k0 = (k0 + WEYL_0) | 0
    k1 = (k1 + WEYL_1) | 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

/**
 * One Philox4x32 block.
 * @param counter four uint32 words.
 * @param key two uint32 words.
 * @param rounds 10 unless told; 7 is the least that passes BigCrush.
 * @returns uint32[4].
 */
export function philox4x32(counter: ArrayLike<number>, key: ArrayLike<number>, rounds = 10): Uint32Array {
  if (counter.length !== 4) throw new RangeError(`counter has ${counter.length} words; philox4x32 takes 4`)
  if (key.length !== 2) throw new RangeError(`key has ${key.length} words; philox4x32 takes 2`)
  if (!Number.isInteger(rounds) || rounds < 0)
    throw new RangeError(`rounds is ${rounds}; give a whole number of rounds`)
  const out = new Uint32Array(4)
  encrypt(out, counter[0]!, counter[1]!, counter[2]!, counter[3]!, key[0]!, key[1]!, rounds)
  return out
}

/**
 * The stream `stream` of the seed `seed`, from number `position` on.
 * @param seed whole number in [0, 2^64): a number up to 2^53 - 1, or a bigint.
 * @param stream whole number in [0, 2^64), likewise; a mesh task's is its index.
 * @param position number of the first one drawn, uniform or normal, 0 unless told, at most 2^53 - 1.
 * @throws RangeError naming the argument that is out of range.
 */
export function createRng(seed: bigint | number, stream: bigint | number, position = 0): Rng {
  const [k0, k1] = splitWords('seed', seed)
  const [s0, s1] = splitWords('stream', stream)
  checkCount('position', position)
  return new PhiloxStream(k0, k1, s0, s1, position)
}

/** Streams of one seed, one after the other. */
export interface RngSeries {
  /** The stream from its first number on: as `createRng(seed, stream)`, but the generator given before is no longer of use. */
  at(stream: number): Rng
}

/** Streams of one seed for who needs a million of them, one at a time: it makes one generator for all. Throws as `createRng`. */
export function createRngSeries(seed: bigint | number): RngSeries {
  const [k0, k1] = splitWords('seed', seed)
  const rng = new PhiloxStream(k0, k1, 0, 0, 0)
  return { at: (stream) => rng.restart(stream) }
}

class PhiloxStream implements Rng {
  readonly #words = new Uint32Array(4)
  /** Number of the next block to be made. */
  #block: number
  /** Whether the stream begins with the second number of its first block. */
  #beginsSecond: boolean
  /** The second of a pair whose first is drawn; NaN when the next pair is still to be made. */
  #secondUniform = NaN
  #secondNormal = NaN

  constructor(
    private readonly k0: number,
    private readonly k1: number,
    private s0: number,
    private s1: number,
    position: number,
  ) {
    this.#block = Math.floor(position / 2)
    this.#beginsSecond = position % 2 === 1
  }

  restart(stream: number): this {
    checkCount('stream', stream)
    this.s0 = stream >>> 0
    this.s1 = Math.floor(stream / TWO_32)
    this.#block = 0
    this.#beginsSecond = false
    this.#secondUniform = NaN
    this.#secondNormal = NaN
    return this
  }

  uniform(): number {
    const second = this.#secondUniform
    if (second === second) {
      this.#secondUniform = NaN
      return second
    }
    this.#fillBlock(this.#block++)
    if (this.#skipsFirst()) return this.#double(2)
    this.#secondUniform = this.#double(2)
    return this.#double(0)
  }

  normal(): number {
    const second = this.#secondNormal
    if (second === second) {
      this.#secondNormal = NaN
      return second
    }
    this.#fillBlock(this.#block++)
    const radius = Math.sqrt(-2 * Math.log1p(-this.#double(0)))
    const angle = TWO_PI * this.#double(2)
    if (this.#skipsFirst()) return radius * Math.sin(angle)
    this.#secondNormal = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }

  integer(low: number, highExclusive: number): number {
    const range = highExclusive - low
    if (!Number.isSafeInteger(low)) throw new RangeError(`low is ${low}; give a safe integer`)
    if (!Number.isSafeInteger(highExclusive))
      throw new RangeError(`highExclusive is ${highExclusive}; give a safe integer`)
    if (range < 1 || !Number.isSafeInteger(range)) {
      throw new RangeError(`highExclusive is ${highExclusive}; it must lie above low = ${low} by at most 2^53 - 1`)
    }
    return low + Math.floor(this.uniform() * range)
  }

  uniforms(n: number): Float64Array {
    checkCount('n', n)
    const out = new Float64Array(n)
    for (let i = 0; i < n; i++) out[i] = this.uniform()
    return out
  }

  normals(n: number): Float64Array {
    checkCount('n', n)
    const out = new Float64Array(n)
    for (let i = 0; i < n; i++) out[i] = this.normal()
    return out
  }

  fork(substream: number): Rng {
    const [f0, f1] = splitWords('substream', substream)
    encrypt(this.#words, f0, f1, this.s0, this.s1, this.k0 ^ FORK_KEY, this.k1, 10)
    const [k0, k1, s0, s1] = this.#words
    return new PhiloxStream(k0!, k1!, s0!, s1!, 0)
  }

  #skipsFirst(): boolean {
    const skips = this.#beginsSecond
    this.#beginsSecond = false
    return skips
  }

  #fillBlock(block: number): void {
    encrypt(this.#words, block | 0, Math.floor(block / TWO_32), this.s0, this.s1, this.k0, this.k1, 10)
  }

  /** The double made of words `at` and `at + 1` of the current block. */
  #double(at: number): number {
    return ((this.#words[at]! >>> 5) * TWO_26 + (this.#words[at + 1]! >>> 6)) / TWO_53
  }
}

/** Low and high 32 bits of a whole number in [0, 2^64). */
function splitWords(name: string, value: bigint | number): [low: number, high: number] {
  if (typeof value === 'bigint') {
    if (value < 0n || value >= 1n << 64n)
      throw new RangeError(`${name} is ${value.toString()}; it must lie in [0, 2^64)`)
    return [Number(value & 0xffffffffn), Number(value >> 32n)]
  }
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${name} is ${value}; give a whole number in [0, 2^53), or a bigint in [0, 2^64)`)
  }
  return [value >>> 0, Math.floor(value / TWO_32)]
}

function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} is ${value}; give a whole number ≥ 0`)
}
