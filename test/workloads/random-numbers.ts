import { type Cluster, task } from 'costate'
import { distributeComputation } from 'costate/primitives'

import { createRng, philox4x32 } from '#libs/domain'

import { range, sum } from './data-files.js'
import {
  jumps,
  mersenne32,
  mersenne64,
  mersenneOutput,
  multiplicative,
  Pcg64,
  philox4x64,
  seedSequence,
  splitMix64,
  threefry4x32,
  type Words,
  Xoshiro256,
} from './generators.js'
import type { Workload } from './workload.js'

const asTexts = (words: Words): string[] => words.map(String)
const asHex = (words: Iterable<number | bigint>, digits: number): string[] =>
  [...words].map((word) => word.toString(16).padStart(digits, '0'))

/** Counters and keys of the known answers of Random123: zeros, ones, and the digits of π. */
const digitsOfPi = [
  '243f6a88',
  '85a308d3',
  '13198a2e',
  '03707344',
  'a4093822',
  '299f31d0',
  '082efa98',
  'ec4e6c89',
  '452821e6',
  '38d01377',
  'be5466cf',
  '34e90c6c',
]

interface Vector {
  readonly counter: readonly string[]
  readonly key: readonly string[]
}

/** Vectors of words of so many hexadecimal digits. */
function vectorsOf(digits: number, keyWords: number): Vector[] {
  const constant = (digit: string): Vector => ({
    counter: Array<string>(4).fill(digit.repeat(digits)),
    key: Array<string>(keyWords).fill(digit.repeat(digits)),
  })
  const pi = digitsOfPi.join('')
  const words = range(0, 4 + keyWords).map((k) => pi.slice(k * digits, (k + 1) * digits))
  return [constant('0'), constant('f'), { counter: words.slice(0, 4), key: words.slice(4) }]
}

export const philoxVector = task(import.meta, 'philoxVector', async ({ counter, key }: Vector) => {
  const [c, k] = [counter, key].map((words) => words.map((word) => Number.parseInt(word, 16))) as [number[], number[]]
  return { counter, key, rounds10: asHex(philox4x32(c, k), 8), rounds7: asHex(philox4x32(c, k, 7), 8) }
})

/** Some numbers of a stream. */
export const drawNumbers = task(
  import.meta,
  'drawNumbers',
  async ({
    seed,
    stream,
    from,
    count,
    kind,
  }: {
    seed: bigint
    stream: bigint
    from: number
    count: number
    kind: 'normals' | 'uniforms'
  }) => createRng(seed, stream, from)[kind](count),
)

async function answerPhilox(cluster: Cluster): Promise<Record<string, unknown>> {
  const seed = 20_240_101n
  const uniforms = { seed, stream: 0n, kind: 'uniforms' } as const
  const [a, b, c, d] = await distributeComputation(
    drawNumbers,
    [
      { ...uniforms, from: 0, count: 8 },
      { ...uniforms, stream: 7n, from: 10, count: 4 },
      { ...uniforms, seed: 0xdeadbeef12345678n, stream: 0x300000009n, from: 2 * 0x100000001, count: 2 },
      { ...uniforms, kind: 'normals', from: 0, count: 6 },
    ],
    cluster,
  )
  const chunks = await distributeComputation(
    drawNumbers,
    range(0, 64).map((k) => ({ ...uniforms, from: 1_563 * k, count: Math.min(1_563, 100_000 - 1_563 * k) })),
    cluster,
  )
  const all = chunks.flatMap((chunk) => [...chunk])
  const least = Math.min(...chunks.map((chunk) => chunk.reduce((low, value) => Math.min(low, value), 1)))
  return {
    kat: await distributeComputation(philoxVector, vectorsOf(8, 2), cluster),
    cpp26_10000th: philox4x32([2_499, 0, 0, 0], [20_111_115, 0])[3],
    ...{ a: [...a!], b: [...b!], c: [...c!], d: [...d!] },
    e: {
      sum: sum(chunks.map(sum)),
      count_lt_quarter: all.filter((u) => u < 0.25).length,
      argmin: all.indexOf(least),
      min: least,
    },
  }
}

export const wideVector = task(
  import.meta,
  'wideVector',
  async ({ name, counter, key }: Vector & { name: 'philox4x64' | 'threefry4x32' }) => {
    const read = (words: readonly string[]): bigint[] => words.map((word) => BigInt(`0x${word}`))
    const words = (name === 'philox4x64' ? philox4x64 : threefry4x32)(read(counter), read(key))
    return { counter, key, out: asHex(words, name === 'philox4x64' ? 16 : 8) }
  },
)

export const philoxWideBlocks = task(
  import.meta,
  'philoxWideBlocks',
  async ({ key, from, count }: { key: Words; from: number; count: number }) =>
    asTexts(range(from, from + count).flatMap((block) => philox4x64([BigInt(block), 0n, 0n, 0n], key))),
)

async function answerWideCounters(cluster: Cluster): Promise<Record<string, unknown>> {
  const vectors = [
    ...vectorsOf(16, 2).map((vector) => ({ ...vector, name: 'philox4x64' as const })),
    ...vectorsOf(8, 4).map((vector) => ({ ...vector, name: 'threefry4x32' as const })),
  ]
  const found = await distributeComputation(wideVector, vectors, cluster)
  const [standard, numpy] = await distributeComputation(
    philoxWideBlocks,
    // NumPy counts before it draws.
    [
      { key: [20_111_115n, 0n], from: 2_499, count: 1 },
      { key: [20_240_101n, 7n], from: 1, count: 2 },
    ],
    cluster,
  )
  return {
    ...{ philox4x64_10: found.slice(0, 3), threefry4x32_20: found.slice(3) },
    ...{ cpp26_philox4x64_10000th: standard![3], numpy_Philox_key_20240101_7: numpy },
  }
}

export const splitMixOutputs = task(import.meta, 'splitMixOutputs', async (seed: bigint, count: number) =>
  asTexts(splitMix64(seed, count)),
)
export const xoshiroOutputs = task(
  import.meta,
  'xoshiroOutputs',
  async (state: Words, count: number, jump: keyof typeof jumps | null) => {
    const generator = new Xoshiro256(state)
    if (jump !== null) generator.jump(jumps[jump])
    return range(0, count).map(() => String(generator.next()))
  },
)

async function answerSplitMix(cluster: Cluster): Promise<Record<string, unknown>> {
  const seeded = await cluster.submit(splitMixOutputs, 42n, 4).result()
  const [a, b, xoshiroA, xoshiroB] = await cluster.gather([
    cluster.submit(splitMixOutputs, 1_477_776_061_723_855_037n, 10),
    cluster.submit(splitMixOutputs, 1_234_567n, 5),
    cluster.submit(xoshiroOutputs, [1n, 2n, 3n, 4n], 10, null),
    cluster.submit(xoshiroOutputs, seeded.map(BigInt), 5, null),
  ])
  return { splitmix64_a: a, splitmix64_b: b, xoshiro_a: xoshiroA, xoshiro_seed42_state: seeded, xoshiro_b: xoshiroB }
}

export const pcgOutputs = task(import.meta, 'pcgOutputs', async (seed: bigint, count: number) => {
  const generator = new Pcg64(seed)
  const start = { state: String(generator.state), inc: String(generator.increment) }
  return { ...start, outputs: range(0, count).map(() => String(generator.next())) }
})
export const mersenneTenThousandth = task(import.meta, 'mersenneTenThousandth', async (bits: 32 | 64) =>
  mersenneOutput(bits === 32 ? mersenne32 : mersenne64, 5_489n, 10_000),
)
export const multiplicativeTenThousandth = task(import.meta, 'multiplicativeTenThousandth', async (a: bigint) =>
  multiplicative(a, 10_000),
)
export const seedWords = task(import.meta, 'seedWords', async (entropy: Words, spawnKey: Words) =>
  seedSequence(entropy, spawnKey, 4).map(Number),
)

async function answerOthers(cluster: Cluster): Promise<Record<string, unknown>> {
  const start = [1n, 2n, 3n, 4n]
  const [dead, answer, m32, m64, park, lewis, jumped, farther, reference] = await cluster.gather([
    ...([cluster.submit(pcgOutputs, 0xdeadbeafn, 5), cluster.submit(pcgOutputs, 42n, 5)] as const),
    ...([cluster.submit(mersenneTenThousandth, 32), cluster.submit(mersenneTenThousandth, 64)] as const),
    ...([
      cluster.submit(multiplicativeTenThousandth, 48_271n),
      cluster.submit(multiplicativeTenThousandth, 16_807n),
    ] as const),
    ...([cluster.submit(xoshiroOutputs, start, 3, 'short'), cluster.submit(xoshiroOutputs, start, 3, 'long')] as const),
    cluster.submit(seedWords, [3_735_928_559n, 195_939_070n, 229_505_742n, 305_419_896n], []),
  ])
  const children = await cluster.gather([0n, 1n, 2n].map((child) => cluster.submit(seedWords, [12_345n], [child])))
  return {
    numpy_PCG64_seed_deadbeaf: dead.outputs,
    ...{
      numpy_PCG64_seed42_state: answer.state,
      numpy_PCG64_seed42_inc: answer.inc,
      numpy_PCG64_seed42: answer.outputs,
    },
    ...{ mt19937_default_seed_5489_10000th: Number(m32), mt19937_64_10000th: String(m64) },
    ...{ minstd_rand_10000th: park, minstd_rand0_10000th: lewis },
    ...{ xoshiro256ss_1234_after_jump: jumped, xoshiro256ss_1234_after_long_jump: farther },
    seedsequence_ref_entropy_3735928559_195939070_229505742_305419896: reference,
    seedsequence_12345_spawn3_generate_state4: children,
  }
}

export const randomNumberWorkloads: readonly Workload[] = [
  { name: 'rng-pcg-mt-seedseq', section: 'sampling', answer: answerOthers },
  { name: 'rng-philox4x32-10', section: 'sampling', answer: answerPhilox },
  { name: 'rng-philox4x64-threefry', section: 'sampling', answer: answerWideCounters },
  { name: 'rng-splitmix64-xoshiro256ss', section: 'sampling', answer: answerSplitMix },
]
