import { describe, expect, test } from 'vitest'
import { createRng, createRngSeries, philox4x32, type Rng } from './philox.js'

/** Random123, tests/kat_vectors (D. E. Shaw Research, BSD-3-Clause): philox4x32 with 10 and 7 rounds. */
const KNOWN_ANSWERS = [
  {
    counter: [0, 0, 0, 0],
    key: [0, 0],
    rounds10: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    rounds7: [0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48],
  },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    rounds10: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    rounds7: [0x5207ddc2, 0x45165e59, 0x4d8ee751, 0x8c52f662],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    rounds10: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    rounds7: [0x4dfccaba, 0x190a87f0, 0xc47362ba, 0xb6b5242a],
  },
]
const SEED = 20240101

describe('known answers', () => {
  test.each(KNOWN_ANSWERS)('Random123 key $key', ({ counter, key, rounds10, rounds7 }) => {
    expect(Array.from(philox4x32(counter, key))).toEqual(rounds10)
    expect(Array.from(philox4x32(counter, key, 7))).toEqual(rounds7)
  })

  test("the 10,000th output of C++26's std::philox4x32, [rand.predef], is 1955073260", () => {
    expect(philox4x32([2499, 0, 0, 0], [20111115, 0])[3]).toBe(1955073260)
  })
})

/** Computed with a numpy implementation that reproduces every row of Random123's kat_vectors. */
describe('stream convention', () => {
  test('the first uniform numbers of stream 0', () => {
    expect(Array.from(createRng(SEED, 0).uniforms(8))).toEqual([
      0.7699028693356296, 0.5482399672792764, 0.7617571180166587, 0.20759040542369822, 0.906043586734159,
      0.5279037983955895, 0.04461999175461773, 0.8413721061795962,
    ])
  })

  test('uniform numbers 10 to 13 of stream 7', () => {
    const expected = [0.2158135759190717, 0.6432075851487564, 0.9870961453211842, 0.44189585320391933]
    expect(Array.from(createRng(SEED, 7).uniforms(14).subarray(10))).toEqual(expected)
    expect(Array.from(createRng(SEED, 7, 10).uniforms(4))).toEqual(expected)
    expect(Array.from(createRng(SEED, 7, 11).uniforms(3))).toEqual(expected.slice(1))
  })

  test('a seed, a stream and a block above 32 bits', () => {
    const rng = createRng(0xdeadbeef12345678n, 0x0000000300000009n, 2 * 0x100000001)
    expect(Array.from(rng.uniforms(2))).toEqual([0.791403835941461, 0.7844834104331923])
    expect(createRng(5, 0x300000009).uniform()).toBe(createRng(5n, 0x300000009n).uniform())
  })

  test('the first normal numbers of stream 0', () => {
    const expected = [
      -1.6360664087301218, -0.5116582943363929, 0.44601779367223066, 1.6340126541789153, -2.141481379408774,
      -0.3793495584101214,
    ]
    const rng = createRng(SEED, 0)
    for (const normal of expected) {
      expect(Math.abs(rng.normal() - normal)).toBeLessThanOrEqual(1e-14 + 1e-13 * Math.abs(normal))
    }
    expect(Array.from(createRng(SEED, 0, 3).normals(3))).toEqual(Array.from(createRng(SEED, 0).normals(6).subarray(3)))
  })

  test('uniform and normal numbers of one stream are independent, in whichever order they are drawn', () => {
    const draws: Readonly<Record<string, (rng: Rng) => readonly [uniform: number, normal: number]>> = {
      'uniform first': (rng) => [rng.uniform(), rng.normal()],
      'normal first': (rng) => {
        const normal = rng.normal()
        return [rng.uniform(), normal]
      },
      'from an odd position': (rng) => [rng.uniform(), rng.normal()],
      'the seconds': (rng) => [rng.uniforms(2)[1]!, rng.normals(2)[1]!],
      'after each other, many': (rng) => {
        for (let k = 0; k < 5; k++) rng.normal()
        return [rng.uniforms(3)[2]!, rng.normal()]
      },
    }
    const count = 40_000
    for (const [order, draw] of Object.entries(draws)) {
      // Of numbers that share bits, the square of the normal one follows from the uniform one.
      let product = 0
      for (let stream = 0; stream < count; stream++) {
        const [uniform, normal] = draw(createRng(SEED, stream, order === 'from an odd position' ? 3 : 0))
        product += (uniform - 0.5) * Math.sqrt(12) * ((normal ** 2 - 1) / Math.SQRT2)
      }
      // The mean of products of independent numbers has a standard deviation of 1 / √count.
      expect(Math.abs(product / Math.sqrt(count)), order).toBeLessThan(4)
    }
  })

  test.each([1, 3, 7, 64])('a hundred thousand uniform numbers in %i chunks', (chunks) => {
    const count = 100_000
    let sum = 0
    let belowQuarter = 0
    let least = { value: Infinity, index: -1 }
    for (let chunk = 0; chunk < chunks; chunk++) {
      const start = Math.floor((chunk * count) / chunks)
      const end = Math.floor(((chunk + 1) * count) / chunks)
      const values = createRng(SEED, 0, start).uniforms(end - start)
      values.forEach((value, offset) => {
        sum += value
        if (value < 0.25) belowQuarter++
        if (value < least.value) least = { value, index: start + offset }
      })
    }
    expect(Math.abs(sum - 50039.923240034375)).toBeLessThanOrEqual(1e-8)
    expect(belowQuarter).toBe(25045)
    expect(least).toEqual({ value: 4.338321448971172e-6, index: 95650 })
  })
})

test('integers cover their range evenly and take one uniform number each', () => {
  const rng = createRng(SEED, 3)
  const counts = new Map<number, number>()
  for (let i = 0; i < 60_000; i++) {
    const value = rng.integer(-2, 4)
    counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2, 3])
  // Five standard deviations of a binomial count with p = 1/6.
  for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(5 * Math.sqrt(60_000 * (5 / 36)))
  expect(rng.uniform()).toBe(createRng(SEED, 3, 60_000).uniform())
})

test('the largest uniform number stays below the end of any range', () => {
  const largest = 1 - 2 ** -53
  for (const range of [1, 3, 10, 2 ** 31 - 1, 2 ** 52 + 1, 2 ** 53 - 1]) {
    expect(Math.floor(largest * range)).toBeLessThan(range)
  }
})

test('a fork depends on its parent and its number, not on what the parent drew', () => {
  const parent = createRng(SEED, 1)
  const early = parent.fork(4).uniforms(6)
  parent.uniforms(17)
  parent.normals(3)
  expect(parent.fork(4).uniforms(6)).toEqual(early)
  const others = [
    parent.fork(5),
    createRng(SEED, 2).fork(4),
    createRng(SEED + 1, 1).fork(4),
    parent.fork(4).fork(4),
    createRng(SEED, 1),
  ]
  for (const other of others) expect(other.uniforms(6)).not.toEqual(early)
})

test.each([
  ['seed', () => createRng(-1, 0)],
  ['seed', () => createRng(0.5, 0)],
  ['seed', () => createRng(2n ** 64n, 0)],
  ['stream', () => createRng(0, 2 ** 53)],
  ['position', () => createRng(0, 0, -1)],
  ['n', () => createRng(0, 0).uniforms(-1)],
  ['n', () => createRng(0, 0).normals(NaN)],
  ['low', () => createRng(0, 0).integer(0.5, 2)],
  ['highExclusive', () => createRng(0, 0).integer(3, 3)],
  ['substream', () => createRng(0, 0).fork(-1)],
  ['counter', () => philox4x32([0, 0, 0], [0, 0])],
  ['key', () => philox4x32([0, 0, 0, 0], [0])],
  ['rounds', () => philox4x32([0, 0, 0, 0], [0, 0], 1.5)],
])('an impossible %s is refused by name', (name, draw) => {
  expect(draw).toThrow(RangeError)
  expect(draw).toThrow(new RegExp(`^${name} `))
})

test('a series gives the streams of its seed, whatever was drawn of the one before', () => {
  const series = createRngSeries(SEED)
  for (const stream of [0, 7, 2 ** 40]) {
    const rng = series.at(stream)
    const fresh = createRng(SEED, stream)
    expect([rng.normal(), rng.uniform(), rng.fork(3).uniform()]).toEqual([
      fresh.normal(),
      fresh.uniform(),
      fresh.fork(3).uniform(),
    ])
  }
  expect(() => series.at(-1)).toThrow('stream is -1')
})
