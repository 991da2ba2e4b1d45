import { expect, test } from 'vitest'

import { codecsOf, ownCodecs, registerCodec } from './codec.js'
import { task } from './task.js'

const codec = { test: () => false, encode: () => null, decode: () => ({}) }

test('a codec is registered once, under a name that can stand in messages', () => {
  registerCodec('codec-test.once', codec)
  expect(ownCodecs.get('codec-test.once')).toBe(codec)
  expect(() => registerCodec('codec-test.once', codec)).toThrow(
    "registerCodec('codec-test.once', …): a codec of this name is registered already",
  )
})

test.each(['', ' x', 'a b', '-x', 'x'.repeat(129), 'é', 5 as never])('%j is no name of a codec', (name) => {
  expect(() => registerCodec(name, codec)).toThrow('a codec needs a name of letters, digits, dots, dashes')
})

test.each(['test', 'encode', 'decode'])('a codec without %s is none', (key) => {
  const message = `registerCodec('lame', …): a codec has three functions, and ${key} is none`
  expect(() => registerCodec('lame', { ...codec, [key]: undefined })).toThrow(message)
  expect(ownCodecs.has('lame')).toBe(false)
})

test('a task carries the codecs of its copy of the library, also those that are registered later', () => {
  const solve = task(import.meta, 'solve', () => 1)
  registerCodec('codec-test.later', codec)
  expect(codecsOf(solve).get('codec-test.later')).toBe(codec)
})
