import { expect, test } from 'vitest'

import { renderTable } from './table.js'
import { createRecordedTerminal } from './terminal.fixture.js'

interface Row {
  readonly name: string
  readonly count: number
}

const columns = [
  { title: 'NAME', show: ({ name }: Row) => name },
  { title: 'COUNT', show: ({ count }: Row) => count },
]
const rows = [
  { name: 'sweep', count: 7 },
  { name: 'Monte Carlo', count: 12_000 },
]

test('a person sees columns, numbers to the right', () => {
  expect(renderTable(columns, rows, createRecordedTerminal({ isInteractive: true }))).toBe(
    ['NAME          COUNT', 'sweep             7', 'Monte Carlo   12000'].join('\n'),
  )
})

test('a program gets a line with tabs for each row', () => {
  expect(renderTable(columns, rows, createRecordedTerminal())).toBe('NAME\tCOUNT\nsweep\t7\nMonte Carlo\t12000')
})

test.each([true, false])('what users write into names cannot steer the terminal or break rows', (isInteractive) => {
  const text = renderTable(columns, [{ name: 'a\u001b[2J\tb\nc', count: 1 }], createRecordedTerminal({ isInteractive }))

  expect(text.split('\n')).toHaveLength(2)
  expect(text).toContain('a [2J b c')
})
