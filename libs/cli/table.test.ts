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

test('states stand out in a terminal with colours', () => {
  const painted = [{ title: 'NAME', show: ({ name }: Row) => name, paint: () => 'red' as const }]
  const terminal = createRecordedTerminal({ isInteractive: true, color: true })

  expect(renderTable(painted, [{ name: 'a', count: 1 }], terminal)).toContain('\u001b[31ma\u001b[39m')
  expect(renderTable(painted, [{ name: 'a', count: 1 }], createRecordedTerminal())).toBe('NAME\na')
})

test('in a narrow terminal long texts are cut, then extra columns left out, the last one first', () => {
  const flexible = [
    { title: 'NAME', show: ({ name }: Row) => name, isCut: true },
    { title: 'COUNT', show: ({ count }: Row) => count, isExtra: true },
    { title: 'TWICE', show: ({ count }: Row) => 2 * count, isExtra: true },
  ]
  const table = (width: number): string | undefined =>
    renderTable(
      flexible,
      [{ name: 'a name that is long', count: 7 }],
      createRecordedTerminal({ isInteractive: true, width }),
    ).split('\n')[1]

  expect(table(40)).toBe('a name that is long       7      14')
  expect(table(30)).toBe('a name that i…       7      14')
  expect(table(20)).toBe('a name that…       7')
  expect(table(10)).toBe('a name th…')
})

test.each([true, false])('what users write into names cannot steer the terminal or break rows', (isInteractive) => {
  const text = renderTable(columns, [{ name: 'a\u001b[2J\tb\nc', count: 1 }], createRecordedTerminal({ isInteractive }))

  expect(text.split('\n')).toHaveLength(2)
  expect(text).toContain('a [2J b c')
})
