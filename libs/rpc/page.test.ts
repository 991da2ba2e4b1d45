import { expect, test } from 'vitest'

import { numberIn, pageOf, type PagedList, sortedList } from './page.js'
import { readRpcFailure } from './status.js'

function listOf(names: readonly string[]): PagedList<string> {
  return sortedList(names, (name) => name)
}

/** All pages, with what a change between two of them does to the list. */
function readAll(names: string[], pageSize: number, between: (names: string[]) => void = () => undefined): string[][] {
  const pages: string[][] = []
  for (let pageToken = ''; ;) {
    const { page, nextPageToken } = pageOf(listOf(names), { pageSize, pageToken })
    pages.push(page)
    if (nextPageToken === '') return pages
    pageToken = nextPageToken
    between(names)
  }
}

test('pages in the order of the keys; the last has no token', () => {
  expect(readAll(['c', 'a', 'b', 'e', 'd'], 2)).toEqual([['a', 'b'], ['c', 'd'], ['e']])
  expect(readAll(['a', 'b'], 2)).toEqual([['a', 'b']])
  expect(readAll([], 2)).toEqual([[]])
})

test('what comes or goes between two pages neither repeats nor hides others', () => {
  const pages = readAll(['a', 'b', 'd', 'f'], 2, (names) => {
    // The last item of the page goes, others come on both sides of it.
    names.splice(names.indexOf('b'), 1)
    names.push('aa', 'c')
  })
  expect(pages).toEqual([['a', 'b'], ['c', 'd'], ['f']])
})

test('the default is 100 items, the most are 1,000', () => {
  const names = Array.from({ length: 3_000 }, (_, i) => `n${i}`)
  expect(pageOf(listOf(names), { pageSize: 0, pageToken: '' }).page).toHaveLength(100)
  expect(pageOf(listOf(names), { pageSize: 4_000_000_000, pageToken: '' }).page).toHaveLength(1_000)
})

test('a page ends early when its items are large, but has at least one', () => {
  const list = { ...listOf(['a', 'b', 'c', 'd']), sizeOf: () => 3 * 2 ** 20 }
  const { page, nextPageToken } = pageOf(list, { pageSize: 4, pageToken: '' })
  expect(page).toEqual(['a', 'b'])
  expect(pageOf(list, { pageSize: 4, pageToken: nextPageToken })).toEqual({ page: ['c', 'd'], nextPageToken: '' })
  const huge = { ...list, sizeOf: () => 2 ** 30 }
  expect(pageOf(huge, { pageSize: 4, pageToken: '' }).page).toEqual(['a'])
})

test.each(['garbage', 'YWZ0ZXI', '!!!'])('the token %s is refused', (pageToken) => {
  let failure
  try {
    pageOf(listOf(['a']), { pageSize: 1, pageToken })
  } catch (error) {
    failure = readRpcFailure(error)
  }
  expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'BAD_PAGE_TOKEN' })
})

test('the token of a list by name is none of a list by number', () => {
  const { nextPageToken } = pageOf(listOf(['a', 'b']), { pageSize: 1, pageToken: '' })
  const byNumber: PagedList<number> = { keyOf: String, after: (key) => [key === undefined ? 0 : numberIn(key)] }
  expect(() => pageOf(byNumber, { pageSize: 1, pageToken: nextPageToken })).toThrow('page_token')
  expect(numberIn('42')).toBe(42)
})
