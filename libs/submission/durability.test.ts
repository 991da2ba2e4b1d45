import { expect, test } from 'vitest'

import { Durability } from '#libs/proto'

import { durabilityFromWire, durabilityToWire } from './durability.js'

test('a level travels and comes back as it was', () => {
  for (const durability of ['memory', 'fsynced'] as const) {
    expect(durabilityFromWire(durabilityToWire({ durability }))).toBe(durability)
  }
  expect(durabilityToWire({})).toBeUndefined()
  expect(durabilityFromWire(Durability.UNSPECIFIED)).toBe('memory')
})

test('what is no level is refused', () => {
  expect(() => durabilityToWire({ durability: 'disk' as never })).toThrow(
    new RangeError("durability is 'disk': give 'memory' or 'fsynced'"),
  )
})
