import { expect, test } from 'vitest'

import { nearestName } from './nearest-name.js'

test.each([
  ['pipelin', 'pipeline'],
  ['MapReduce', 'map-reduce'],
  ['local', 'local-cluster'],
  ['map', 'map-reduce'],
  ['pipeline', 'pipeline'],
])('%s is nearest to %s', (wanted, nearest) => {
  expect(nearestName(wanted, ['local-cluster', 'pipeline', 'map-reduce'])).toBe(nearest)
})

test('where there are no names there is no nearest', () => {
  expect(nearestName('pipeline', [])).toBeUndefined()
})
