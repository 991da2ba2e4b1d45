/**
 * Random number generators of others, for their published outputs: Philox4x64 and Threefry4x32 (Salmon, Moraes, Dror & Shaw, SC'11),
 * SplitMix64 and xoshiro256** (Blackman & Vigna 2021), PCG64 (O'Neill 2014) with NumPy's SeedSequence, the Mersenne Twisters (Matsumoto &
 * Nishimura 1998, Nishimura 2000), and the multiplicative generators of Lewis, Goodman & Miller and of Park & Miller.
 */
const mask32 = (1n << 32n) - 1n
const mask64 = (1n << 64n) - 1n
const mask128 = (1n << 128n) - 1n

const rotate = (value: bigint, by: bigint, bits: bigint): bigint =>
  ((value << by) | (value >> (bits - by))) & ((1n << bits) - 1n)

export type Words = readonly bigint[]

/** A block of four 64-bit words. */
export function philox4x64(counter: Words, key: Words): bigint[] {
  let [c0, c1, c2, c3] = counter as [bigint, bigint, bigint, bigint]
  let [k0, k1] = key as [bigint, bigint]
  for (let round = 0; round < 10; round++) {
    const [a, b] = [c0 * 0xd2e7470ee14c6c93n, c2 * 0xca5a826395121157n]
    ;[c0, c1, c2, c3] = [(b >> 64n) ^ c1 ^ k0, b & mask64, (a >> 64n) ^ c3 ^ k1, a & mask64]
    k0 = (k0 + 0x9e3779b97f4a7c15n) & mask64
    k1 = (k1 + 0xbb67ae8584caa73bn) & mask64
  }
  return [c0, c1, c2, c3]
}

const threefryRotations = [
  ...([
    [10n, 26n],
    [11n, 21n],
    [13n, 27n],
    [23n, 5n],
  ] as const),
  ...([
    [6n, 20n],
    [17n, 11n],
    [25n, 10n],
    [18n, 20n],
  ] as const),
] as const

/** A block of four 32-bit words after twenty rounds. */
export function threefry4x32(counter: Words, key: Words): bigint[] {
  const keys = [...key, key.reduce((all, word) => all ^ word, 0x1bd11bdan)]
  const x = counter.map((word, i) => (word + keys[i]!) & mask32) as [bigint, bigint, bigint, bigint]
  for (let round = 0; round < 20; round++) {
    const [r0, r1] = threefryRotations[round % 8]!
    const [first, second] = round % 2 === 0 ? ([1, 3] as const) : ([3, 1] as const)
    x[0] = (x[0] + x[first]) & mask32
    x[first] = rotate(x[first], r0, 32n) ^ x[0]
    x[2] = (x[2] + x[second]) & mask32
    x[second] = rotate(x[second], r1, 32n) ^ x[2]
    if (round % 4 !== 3) continue
    const group = (round + 1) / 4
    for (let i = 0; i < 4; i++) x[i] = (x[i]! + keys[(group + i) % 5]! + (i === 3 ? BigInt(group) : 0n)) & mask32
  }
  return x
}

export function splitMix64(seed: bigint, count: number): bigint[] {
  let state = seed
  return Array.from({ length: count }, () => {
    state = (state + 0x9e3779b97f4a7c15n) & mask64
    let z = state
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask64
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask64
    return z ^ (z >> 31n)
  })
}

/** xoshiro256**, from a state of four words. */
export class Xoshiro256 {
  #state: [bigint, bigint, bigint, bigint]

  constructor(state: Words) {
    this.#state = [...state] as [bigint, bigint, bigint, bigint]
  }

  next(): bigint {
    let [s0, s1, s2, s3] = this.#state
    const result = (rotate((s1 * 5n) & mask64, 7n, 64n) * 9n) & mask64
    const shifted = (s1 << 17n) & mask64
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    this.#state = [s0, s1, s2, rotate(s3, 45n, 64n)]
    return result
  }

  /** Ahead by as many numbers as the polynomial says. */
  jump(polynomial: Words): this {
    let sum: [bigint, bigint, bigint, bigint] = [0n, 0n, 0n, 0n]
    for (const word of polynomial) {
      for (let bit = 0n; bit < 64n; bit++) {
        if ((word >> bit) & 1n) sum = sum.map((value, i) => value ^ this.#state[i]!) as typeof sum
        this.next()
      }
    }
    this.#state = sum
    return this
  }
}

/** Ahead by 2^128 numbers, and by 2^192. */
export const jumps = {
  short: [0x180ec6d33cfd0aban, 0xd5a61266f0c9392cn, 0xa9582618e03fc9aan, 0x39abdc4529b1661cn],
  long: [0x76e15d3efefdcbbfn, 0xc5004e441c522fb3n, 0x77710069854ee241n, 0x39109bb02acbe635n],
} as const

/** NumPy's SeedSequence: words of 32 bits made of entropy and of the way from parent to child. */
export function seedSequence(entropy: Words, spawnKey: Words, count: number): bigint[] {
  const padded =
    spawnKey.length === 0 ? entropy : [...entropy, ...Array<bigint>(Math.max(0, 4 - entropy.length)).fill(0n)]
  const words = [...padded, ...spawnKey]
  let constant = 0x43b0d7e5n
  const fold = (value: bigint): bigint => value ^ (value >> 16n)
  const hash = (value: bigint): bigint => {
    const mixed = value ^ constant
    constant = (constant * 0x931e8875n) & mask32
    return fold((mixed * constant) & mask32)
  }
  const mix = (x: bigint, y: bigint): bigint => fold((0xca01f9ddn * x - 0x4973f715n * y) & mask32)
  const pool = Array.from({ length: 4 }, (_, i) => hash(words[i] ?? 0n))
  for (let from = 0; from < 4; from++)
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mix(pool[to]!, hash(pool[from]!))
  for (let from = 4; from < words.length; from++)
    for (let to = 0; to < 4; to++) pool[to] = mix(pool[to]!, hash(words[from]!))
  let out = 0x8b51f9ddn
  return Array.from({ length: count }, (_, i) => {
    const mixed = pool[i % 4]! ^ out
    out = (out * 0x58f38dedn) & mask32
    return fold((mixed * out) & mask32)
  })
}

/** PCG64 (XSL-RR) as NumPy seeds it. */
export class Pcg64 {
  readonly increment: bigint
  state = 0n

  constructor(seed: bigint) {
    const words = seedSequence([seed], [], 8)
    const wide = Array.from({ length: 4 }, (_, i) => words[2 * i]! | (words[2 * i + 1]! << 32n))
    this.increment = ((((wide[2]! << 64n) | wide[3]!) << 1n) | 1n) & mask128
    this.#step()
    this.state = (this.state + ((wide[0]! << 64n) | wide[1]!)) & mask128
    this.#step()
  }

  next(): bigint {
    this.#step()
    const folded = (this.state >> 64n) ^ (this.state & mask64)
    const by = this.state >> 122n
    return ((folded >> by) | (folded << (64n - by))) & mask64
  }

  #step(): void {
    this.state = (this.state * 0x2360ed051fc65da44385df649fccf645n + this.increment) & mask128
  }
}

/** How a Mersenne Twister is made. */
interface Twister {
  readonly bits: bigint
  readonly size: number
  readonly middle: number
  readonly lowBits: bigint
  readonly matrix: bigint
  readonly multiplier: bigint
  /** Shifts to the right (below 0: to the left) and masks of the tempering. */
  readonly tempering: readonly (readonly [shift: bigint, mask: bigint])[]
}

export const mersenne32: Twister = {
  ...{ bits: 32n, size: 624, middle: 397, lowBits: 31n, matrix: 0x9908b0dfn, multiplier: 1_812_433_253n },
  tempering: [
    [11n, mask32],
    [-7n, 0x9d2c5680n],
    [-15n, 0xefc60000n],
    [18n, mask32],
  ],
}
export const mersenne64: Twister = {
  ...{
    bits: 64n,
    size: 312,
    middle: 156,
    lowBits: 31n,
    matrix: 0xb5026f5aa96619e9n,
    multiplier: 6_364_136_223_846_793_005n,
  },
  tempering: [
    [29n, 0x5555555555555555n],
    [-17n, 0x71d67fffeda60000n],
    [-37n, 0xfff7eee000000000n],
    [43n, mask64],
  ],
}

/** Output number `count` of a twister, from 1. */
export function mersenneOutput(twister: Twister, seed: bigint, count: number): bigint {
  const { bits, size, middle, lowBits, matrix, multiplier, tempering } = twister
  const mask = (1n << bits) - 1n
  const low = (1n << lowBits) - 1n
  const state = [seed]
  for (let i = 1; i < size; i++)
    state.push((multiplier * (state[i - 1]! ^ (state[i - 1]! >> (bits - 2n))) + BigInt(i)) & mask)
  let out = 0n
  for (let drawn = 0; drawn < count; drawn++) {
    const i = drawn % size
    const joined = (state[i]! & (mask ^ low)) | (state[(i + 1) % size]! & low)
    state[i] = state[(i + middle) % size]! ^ (joined >> 1n) ^ ((joined & 1n) === 1n ? matrix : 0n)
    out = state[i]!
    for (const [shift, part] of tempering) out ^= (shift > 0n ? out >> shift : (out << -shift) & mask) & part
  }
  return out
}

/** Output number `count` of x ← a x mod 2³¹ - 1, from 1. */
export function multiplicative(a: bigint, count: number): number {
  let x = 1n
  for (let drawn = 0; drawn < count; drawn++) x = (a * x) % 2_147_483_647n
  return Number(x)
}
