import { expect, test } from 'vitest'

import type { ReportRow } from './judgement.js'
import { createTable } from './table.js'
import { atLeastTimes, atMost } from './target.js'

const rows = [
  { name: 'noop-map-10k', unit: 'tasks/s', target: atLeastTimes(30, 'Dask') },
  { name: 'worker-start', unit: 's', target: atMost(0.5, 's') },
]
const map: ReportRow = {
  name: 'noop-map-10k',
  ours: 20_120,
  unit: 'tasks/s',
  peer: 'Dask',
  theirs: 630.9,
  ratio: 31.89,
  target: '≥ 30× Dask',
  met: true,
}

test('rows are printed one by one under the head, and line up with it', () => {
  const table = createTable(rows)
  expect(`\n${[table.head, table.line(map), table.foot].join('\n')}`).toBe(`
┌──────────────┬───────────┬─────────┬──────┬───────────┬───────────┬────────────┬─────┐
│ row          │      ours │ unit    │ peer │    theirs │     ratio │ target     │ met │
├──────────────┼───────────┼─────────┼──────┼───────────┼───────────┼────────────┼─────┤
│ noop-map-10k │    20,120 │ tasks/s │ Dask │     630.9 │     31.89 │ ≥ 30× Dask │ yes │
└──────────────┴───────────┴─────────┴──────┴───────────┴───────────┴────────────┴─────┘`)
})

test('a peer with a longer name than usual has its room', () => {
  const row = { name: 'noop-map-1m', unit: 'tasks/s', target: atLeastTimes(0.8, 'noop-map-100k') }
  const table = createTable([row])
  expect(table.line({ ...map, name: row.name, peer: 'noop-map-100k' })).toContain('│ noop-map-100k │')
  expect(table.head).toContain('│ peer          │')
})

test('what the missing peer would have said is a dash, and so is a verdict that needs it', () => {
  const line = createTable(rows).line({ ...map, peer: null, theirs: null, ratio: null, met: null })
  expect(line).toBe('│ noop-map-10k │    20,120 │ tasks/s │ –    │         – │         – │ ≥ 30× Dask │ –   │')
})

test('a target that is missed says so', () => {
  const missed: ReportRow = { ...map, name: 'worker-start', unit: 's', ours: 0.6123, target: '≤ 0.5 s', met: false }
  expect(createTable(rows).line(missed)).toContain(
    '│    0.6123 │ s       │ Dask │     630.9 │     31.89 │ ≤ 0.5 s    │ no  │',
  )
})
