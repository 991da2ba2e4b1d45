import { expect, test } from 'vitest'

import { rows } from './rows/index.js'
import { readRepeats, selectRows, UsageError, warnOfFewRepeats } from './selection.js'

const table = [{ name: 'noop-map-10k' }, { name: 'roundtrip-p50' }, { name: 'cluster-start' }]
const namesOf = (chosen: readonly { name: string }[]) => chosen.map(({ name }) => name)

test('without names all rows run', () => {
  expect(selectRows(table, [])).toEqual(table)
  expect(selectRows(table, [''])).toEqual(table)
})

test('rows are named one per word or several in one, and run once each in the order of the table', () => {
  expect(namesOf(selectRows(table, ['cluster-start', 'noop-map-10k']))).toEqual(['noop-map-10k', 'cluster-start'])
  expect(namesOf(selectRows(table, ['cluster-start roundtrip-p50']))).toEqual(['roundtrip-p50', 'cluster-start'])
  expect(namesOf(selectRows(table, ['cluster-start', 'cluster-start']))).toEqual(['cluster-start'])
})

test('an unknown name is refused with the rows that there are', () => {
  expect(() => selectRows(table, ['noop-map', 'cluster-start'])).toThrow(UsageError)
  expect(() => selectRows(table, ['noop-map', 'cluster-start'])).toThrow(
    'unknown row noop-map: the rows are\n  noop-map-10k\n  roundtrip-p50\n  cluster-start',
  )
})

test('repeats are a whole number, or not set', () => {
  expect(readRepeats(undefined)).toBeUndefined()
  expect(readRepeats('')).toBeUndefined()
  expect(readRepeats('3')).toBe(3)
  for (const text of ['0', '-1', '2.5', 'three', '101']) expect(() => readRepeats(text)).toThrow(UsageError)
})

test('no two rows share a name', () => {
  const names = namesOf(rows)
  expect(new Set(names).size).toBe(names.length)
})

test('fewer runs than usual are said below the table', () => {
  expect(warnOfFewRepeats(undefined)).toBeUndefined()
  expect(warnOfFewRepeats(5)).toBeUndefined()
  expect(warnOfFewRepeats(3)).toBe(
    'REPEATS=3: each figure is the median of only 3 runs instead of 5; compare it with nothing.',
  )
  expect(warnOfFewRepeats(1)).toContain('a single run')
})
