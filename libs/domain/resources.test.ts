import { expect, test } from 'vitest'

import { parseNeeds, parseOffer } from './resources.js'

test('what a task takes: memory in words, everything else in numbers', () => {
  expect(parseNeeds({ cpu: 2, memory: '2GB', gpu: 1, licence: 0.5 }, 'resources')).toEqual({
    cpu: 2,
    memory: 2e9,
    gpu: 1,
    licence: 0.5,
  })
})

test('what a worker offers, as a flag and as an object', () => {
  expect(parseOffer('gpu=2, licence=1,memory=4GiB', 'resources')).toEqual({ gpu: 2, licence: 1, memory: 2 ** 32 })
  expect(parseOffer({ gpu: 2 }, 'resources')).toEqual({ gpu: 2 })
  expect(parseOffer('', 'resources')).toEqual({})
})

test.each([
  [{ cpu: 0 }, 'cpu is 0'],
  [{ cpu: 1.5 }, 'only whole ones'],
  [{ gpu: 0.5 }, 'only whole ones'],
  [{ licence: -1 }, 'not negative'],
  [{ licence: NaN }, 'not negative'],
  [{ licence: '' }, 'not negative'],
  [{ memory: 'much' }, 'no amount of memory'],
  [{ 'a b': 1 }, 'is no resource'],
  [Object.fromEntries(Array.from({ length: 33 }, (_, k) => [`r${k}`, 1])), 'too many'],
])('needs that make no sense are refused by name: %j', (needs, why) => {
  expect(() => parseNeeds(needs, 'resources')).toThrow(RangeError)
  expect(() => parseNeeds(needs, 'resources')).toThrow(why)
})

test.each([
  ['gpu', 'is no resource'],
  ['gpu=1=2', 'is no resource'],
  ['cpu=4', 'slots'],
])('offers that make no sense are refused by name: %s', (offer, why) => {
  expect(() => parseOffer(offer, 'resources')).toThrow(why)
})
