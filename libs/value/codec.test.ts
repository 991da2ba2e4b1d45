import { expect, test } from 'vitest'

import { Payload } from '#libs/proto'
import type { Codec, Codecs } from '#libs/task'

import { decodePayload, encodePayload, encodeValue, inspectValue, packStructure } from './index.js'

class Interval {
  readonly low: number
  readonly high: number
  constructor(low: number, high: number) {
    this.low = low
    this.high = high
  }
}

class Grid {
  readonly nodes: Float64Array
  readonly span: Interval
  constructor(nodes: Float64Array, span: Interval) {
    this.nodes = nodes
    this.span = span
  }
}

class Samples extends Float64Array {}
class Trajectory extends Array<number> {}

const codecOf = <T extends object, E>(codec: Codec<T, E>): Codec => codec
const interval = codecOf({
  test: (value) => value instanceof Interval,
  encode: ({ low, high }: Interval) => [low, high] as const,
  decode: ([low, high]) => new Interval(low, high),
})
const codecs: Codecs = new Map([
  ['interval', interval],
  [
    'grid',
    codecOf({
      test: (value) => value instanceof Grid,
      encode: ({ nodes, span }: Grid) => ({ nodes, span }),
      decode: ({ nodes, span }) => new Grid(nodes, span),
    }),
  ],
  [
    'samples',
    codecOf({
      test: (value) => value instanceof Samples,
      encode: (samples: Samples) => new Float64Array(samples),
      decode: (numbers) => new Samples(numbers),
    }),
  ],
  [
    'trajectory',
    codecOf({
      test: (value) => value instanceof Trajectory,
      encode: (states: Trajectory) => [...states],
      decode: (states) => new Trajectory(...states),
    }),
  ],
])

const roundTrip = (value: unknown, to: Codecs = codecs, from: Codecs = codecs): unknown =>
  decodePayload(encodePayload(packStructure(encodeValue(value, 'the value', { codecs: from }))), {
    codecs: to,
    what: 'the result of task f',
  })

test('values of other classes travel by their codecs, within others and each other', () => {
  const span = new Interval(0, 1)
  const value = { runs: [{ span }, new Map([['a', new Grid(new Float64Array([0, 0.5, -0]), span)]])], same: span }
  const back = roundTrip(value) as typeof value
  expect(back).toStrictEqual(value)
  expect((back.runs[1] as Map<string, Grid>).get('a')).toBeInstanceOf(Grid)
})

test('subclasses of what travels by itself have codecs, too, and without one they are what they extend', () => {
  const value = [new Samples([1, 2]), new Trajectory(3, 4)]
  expect(roundTrip(value)).toStrictEqual(value)
  expect(roundTrip(value, codecs, new Map())).toStrictEqual([new Float64Array([1, 2]), [3, 4]])
})

test('numbers of a codec are tensors in the body', () => {
  const nodes = new Float64Array(1_000).fill(Math.PI)
  const { root, segments } = encodeValue(new Grid(nodes, new Interval(0, 1)), 'the value', { codecs })
  expect(segments.map(({ buffer }) => buffer)).toContain(nodes.buffer)
  expect(root.kind?.$case).toBe('coded')
})

test('a large structure of codecs is packed like any other', () => {
  const value = Array.from({ length: 10_000 }, (_, i) => new Interval(i, i + 1))
  expect(roundTrip(value)).toStrictEqual(value)
})

test('who lacks the codec says which, of what, and what to do', () => {
  expect(() => roundTrip([new Interval(0, 1)], new Map())).toThrow(
    expect.objectContaining({
      reason: 'UNKNOWN_CODEC',
      message:
        "the result of task f was encoded by codec 'interval', which is not registered here: call registerCodec('interval', …) " +
        "in the task's module, or in one that it imports, and import that in the program",
    }),
  )
})

test('an instance without a codec is refused with the advice to register one', () => {
  expect(() => roundTrip({ span: new Interval(0, 1) }, codecs, new Map())).toThrow(
    'the value, at .span, is an instance of Interval, which cannot travel: pass its data as plain objects and typed arrays, ' +
      'or register a codec for it with registerCodec()',
  )
})

const broken = (): never => {
  throw new Error('out of order')
}

test.each([
  ['test', { ...interval, test: broken }, "the value, at [0], cannot travel: test of codec 'bad' threw: out of order"],
  ['encode', { ...interval, encode: broken }, "at [0], cannot travel: encode of codec 'bad' threw: out of order"],
  ['decode', { ...interval, decode: broken }, "could not be built: decode of codec 'bad' threw: out of order"],
  [
    'encode',
    { ...interval, encode: ({ low, high }: Interval) => new Interval(low, high) },
    "at [0], cannot travel: encode of codec 'bad' returned a value that the codec is for itself",
  ],
  ['encode', { ...interval, encode: () => [() => 1] }, 'the value, at [0][0], is a function, which cannot travel'],
  ['encode', { ...interval, encode: (self: Interval) => [[self]] }, 'at [0][0][0], is a cycle'],
])('a codec whose %s fails is named, with the cause', (_, bad, message) => {
  const only: Codecs = new Map([['bad', bad]])
  expect(() => roundTrip([new Interval(0, 1)], only, only)).toThrow(message)
})

test('a coded value is looked into for what it refers to, and for tensors that contradict the body', () => {
  const reference = { target: { $case: 'objectId', value: 'o-1' } } as const
  const elsewhere = {}
  const grid = new Grid(elsewhere as Float64Array, new Interval(0, 1))
  const findReference = (value: object) => (value === elsewhere ? reference : undefined)
  const { root, body } = Payload.decode(encodePayload(encodeValue(grid, 'the value', { codecs, findReference })))
  const seen: unknown[] = []
  inspectValue(root, body.byteLength, ({ target }) => seen.push(target?.value))
  expect(seen).toEqual(['o-1'])

  const plain = encodeValue(new Grid(new Float64Array(4), new Interval(0, 1)), 'the value', { codecs })
  expect(() => inspectValue(plain.root, 8, () => undefined)).toThrow('do not lie, at a multiple of 8, in the body')
  expect(() =>
    inspectValue({ kind: { $case: 'coded', value: { codec: '', value: root } } }, 8, () => undefined),
  ).toThrow('a coded value names no codec')
})
