import Table from 'cli-table3'
import { createColors } from 'picocolors'

import type { Terminal } from './terminal.js'

/** How a cell stands out in a terminal with colours. */
export type Paint = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold'

/** A column of a table: its title, and what it shows of a row. */
export interface Column<Row> {
  readonly title: string
  readonly show: (row: Row) => string | number
  readonly paint?: (row: Row) => Paint | undefined
  /** In a terminal that is too narrow, this column is cut, */
  readonly isCut?: boolean
  /** or left out, the last one first. */
  readonly isExtra?: boolean
}

const edges = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
const rules = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle']
const noLines = Object.fromEntries([...edges, ...rules].map((name) => [name, '']))
const gap = 3
/** A column is not cut to less than this. */
const leastWidth = 10

/** Rows under titles: in columns for a person, numbers to the right; one line with tabs per row for a program. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], terminal: Terminal): string {
  if (terminal.isInteractive) return layOut(columnsThatFit(columns, rows, terminal.width), rows, terminal)
  const cells = rows.map((row) => columns.map(({ show }) => printable(show(row))))
  return [columns.map(({ title }) => title), ...cells].map((line) => line.join('\t')).join('\n')
}

function layOut<Row>(columns: readonly Column<Row>[], rows: readonly Row[], terminal: Terminal): string {
  const titles = columns.map(({ title }) => title)
  const cells = rows.map((row) => columns.map(({ show }) => show(row)))
  const colors = createColors(terminal.color)
  const table = new Table({
    head: titles.map((title) => colors.bold(title)),
    chars: noLines,
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': gap },
    colAligns: columns.map((_, index) => (cells.every((line) => typeof line[index] === 'number') ? 'right' : 'left')),
  })
  const texts = cutToFit(columns, [titles, ...cells.map((line) => line.map(printable))], terminal.width).slice(1)
  for (const [nth, line] of texts.entries()) {
    table.push(
      line.map((text, index) => {
        const paint = columns[index]?.paint?.(rows[nth] as Row)
        return paint === undefined ? text : colors[paint](text)
      }),
    )
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

function columnsThatFit<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): Column<Row>[] {
  const kept = [...columns]
  const least = ({ title, show, isCut }: Column<Row>): number => {
    const widest = Math.max(title.length, ...rows.map((row) => printable(show(row)).length))
    return (isCut ? Math.min(widest, leastWidth) : widest) + gap
  }
  for (let over = kept.reduce((sum, column) => sum + least(column), -gap) - width; over > 0;) {
    const index = kept.findLastIndex(({ isExtra }) => isExtra)
    if (index < 0) break
    over -= kept.splice(index, 1).reduce((sum, column) => sum + least(column), 0)
  }
  return kept
}

/** Cuts the columns that may be cut so far that the lines fit. */
function cutToFit<Row>(columns: readonly Column<Row>[], lines: readonly string[][], width: number): string[][] {
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => (line[index] ?? '').length)))
  for (const [index, { isCut }] of columns.entries()) {
    const over = widths.reduce((sum, one) => sum + one + gap, -gap) - width
    if (isCut && over > 0) widths[index] = Math.max(leastWidth, (widths[index] ?? 0) - over)
  }
  return lines.map((line) => line.map((text, index) => cut(text, widths[index] ?? 0)))
}

export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}

/** Names come from users: an escape sequence in one must not reach the terminal, nor a newline the layout. */
export function printable(value: string | number): string {
  return String(value).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}
