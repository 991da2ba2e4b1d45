import Table from 'cli-table3'

import type { ReportRow } from './judgement.js'

/** A table that is printed line by line, as rows finish. */
export interface GrowingTable {
  readonly head: string
  line(row: ReportRow): string
  readonly foot: string
}

const columns = ['row', 'ours', 'unit', 'peer', 'theirs', 'ratio', 'target', 'met'] as const
const rightAligned: readonly string[] = ['ours', 'theirs', 'ratio']
const numberWidth = 9
const missing = '–'

/** What the table needs to know of a row before it is measured. */
interface ExpectedRow {
  readonly name: string
  readonly unit: string
  readonly target: { readonly text: string; readonly peer?: string }
}

/** The peer of rows whose target names none. */
const usualPeer = 'Dask'

/** Makes the table for these rows. */
export function createTable(rows: readonly ExpectedRow[]): GrowingTable {
  const widest = (title: string, texts: readonly string[]): number =>
    Math.max(title.length, ...texts.map((text) => text.length))
  const contentWidths = [
    widest(
      'row',
      rows.map(({ name }) => name),
    ),
    numberWidth,
    widest(
      'unit',
      rows.map(({ unit }) => unit),
    ),
    widest(
      'peer',
      rows.map(({ target }) => target.peer ?? usualPeer),
    ),
    numberWidth,
    numberWidth,
    widest(
      'target',
      rows.map(({ target }) => target.text),
    ),
    widest('met', ['yes', 'no']),
  ]
  const render = (cells: readonly string[]): string[] => {
    const table = new Table({
      head: [...columns],
      colWidths: contentWidths.map((width) => width + 2),
      colAligns: columns.map((name) => (rightAligned.includes(name) ? 'right' : 'left')),
      style: { head: [], border: [] },
    })
    table.push([...cells])
    return table.toString().split('\n')
  }
  const frame = render(columns.map(() => ''))
  return {
    head: frame.slice(0, 3).join('\n'),
    line: (row) => render(cellsOf(row)).slice(3, -1).join('\n'),
    foot: frame.at(-1) ?? '',
  }
}

function cellsOf({ name, ours, unit, peer, theirs, ratio, target, met }: ReportRow): string[] {
  const verdict = met === null ? missing : met ? 'yes' : 'no'
  return [name, formatNumber(ours), unit, peer ?? missing, formatNumber(theirs), formatNumber(ratio), target, verdict]
}

function formatNumber(value: number | null): string {
  return value === null ? missing : value.toLocaleString('en', { maximumSignificantDigits: 4 })
}
