import Table from 'cli-table3'
import { createColors } from 'picocolors'

import type { Terminal } from './terminal.js'

/** A column of a table: its title, and what it shows of a row. */
export interface Column<Row> {
  readonly title: string
  readonly show: (row: Row) => string | number
}

const edges = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
const rules = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle']
const noLines = Object.fromEntries([...edges, ...rules].map((name) => [name, '']))

/** Rows under titles: in columns for a person, numbers to the right; one line with tabs per row for a program. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], terminal: Terminal): string {
  const titles = columns.map(({ title }) => title)
  const cells = rows.map((row) => columns.map(({ show }) => show(row)))
  if (!terminal.isInteractive) return [titles, ...cells].map((line) => line.map(printable).join('\t')).join('\n')
  const { bold } = createColors(terminal.color)
  const table = new Table({
    head: titles.map((title) => bold(title)),
    chars: noLines,
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 3 },
    colAligns: columns.map((_, index) => (cells.every((line) => typeof line[index] === 'number') ? 'right' : 'left')),
  })
  table.push(...cells.map((line) => line.map(printable)))
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Names come from users: an escape sequence in one must not reach the terminal, nor a newline the layout. */
function printable(value: string | number): string {
  return String(value).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}
