import { expect, test } from 'vitest'

import { newObjectId } from './object-id.js'

test('ids of objects are o- and a random UUID, and none comes twice', () => {
  const ids = Array.from({ length: 10_000 }, newObjectId)
  for (const id of ids) expect(id).toMatch(/^o-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(new Set(ids).size).toBe(ids.length)
  // Every digit takes every value that it may.
  const seen = Array.from({ length: 38 }, (_, at) => new Set(ids.map((id) => id[at])).size)
  expect(seen.filter((count) => count === 16)).toHaveLength(30)
})
