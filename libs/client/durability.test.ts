import { expect, test } from 'vitest'

import { Durability } from '#libs/proto'

import { durabilityFromWire, durabilityToWire } from './durability.js'
import { createInlineCluster } from './inline-cluster.js'

test('a level travels and comes back as it was', () => {
  for (const durability of ['memory', 'fsynced'] as const) {
    expect(durabilityFromWire(durabilityToWire({ durability }))).toBe(durability)
  }
  expect(durabilityToWire({})).toBeUndefined()
  expect(durabilityFromWire(Durability.UNSPECIFIED)).toBe('memory')
})

test('what is no level is refused before anything is sent, inline too', () => {
  const options = { durability: 'disk' as never }
  expect(() => durabilityToWire(options)).toThrow("durability is 'disk': give 'memory' or 'fsynced'")
  expect(() =>
    createInlineCluster()
      .with(options)
      .graph(() => 0),
  ).toThrow(RangeError)
})
