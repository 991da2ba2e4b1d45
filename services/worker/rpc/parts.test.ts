import { expect, test } from 'vitest'

import { partsOf } from './parts.js'

const cut = (sizes: readonly number[], most: { items: number; bytes: number }): number[][] => [
  ...partsOf(sizes, (size) => size, most),
]

test('a list is cut by number and by bytes, in order', () => {
  expect(cut([1, 1, 1, 1, 1], { items: 2, bytes: 100 })).toEqual([[1, 1], [1, 1], [1]])
  expect(cut([4, 4, 4, 9, 1], { items: 9, bytes: 10 })).toEqual([[4, 4], [4], [9, 1]])
})

test('an item that alone is over the limit goes alone', () => {
  expect(cut([1, 50, 1], { items: 9, bytes: 10 })).toEqual([[1], [50], [1]])
  expect(cut([], { items: 9, bytes: 10 })).toEqual([])
})
