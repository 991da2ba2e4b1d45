import { createColors } from 'picocolors'

import { foldChildren, type FoldedChild } from './trace-folding.js'
import type { TraceNode } from './trace-tree.js'

/** How a trace tree is shown. */
export interface RenderOptions {
  /** Columns; no line is longer. Below 40 it is taken as 40. */
  readonly width: number
  readonly color: boolean
  /** How many siblings of the same name and service are shown before the rest is folded into one line; 4 unless given. */
  readonly maxChildren?: number
}

interface Row {
  readonly label: string
  readonly service: string
  readonly duration: string
  /** Share of the whole trace, from and to in 0…1; nothing for a line without a bar. */
  readonly bar?: { from: number; to: number }
  readonly kind: 'root' | 'span' | 'failed' | 'fold' | 'error'
}

/**
 * The tree as text: one line per span with service, duration and a bar that shows where in the whole it lies. Long lists of
 * like siblings are folded ("… 196 more run, 12.1 ms median, 80.2 ms max"), failed ones are shown first. Pure.
 */
export function renderTraceTree(nodes: readonly TraceNode[], options: RenderOptions): string {
  return layOut(collectRows(nodes, Math.max(1, options.maxChildren ?? 4)), options)
}

function collectRows(roots: readonly TraceNode[], maxChildren: number): Row[] {
  const extent = extentOf(roots)
  const severalInstances = servicesWithSeveralInstances(roots)
  const rows: Row[] = []
  const toVisit: { child: FoldedChild; prefix: string; isLast: boolean; depth: number }[] = []
  const visitLater = (siblings: readonly TraceNode[], prefix: string, depth: number): void => {
    const folded = foldChildren(siblings, maxChildren)
    folded.forEach((child, index) => toVisit.push({ child, prefix, isLast: index === folded.length - 1, depth }))
    // A stack: the first sibling must come off first.
    toVisit.push(...toVisit.splice(toVisit.length - folded.length).reverse())
  }
  visitLater(roots, '', 0)
  for (let next = toVisit.pop(); next !== undefined; next = toVisit.pop()) {
    const { child, prefix, isLast, depth } = next
    const branch = depth === 0 ? '' : prefix + (isLast ? '└─ ' : '├─ ')
    const below = depth === 0 ? '' : prefix + (isLast ? '   ' : '│  ')
    if (child.kind === 'fold') {
      rows.push({ label: `${branch}… ${describeFold(child)}`, service: '', duration: '', kind: 'fold' })
      continue
    }
    const { span, children } = child.node
    const service = severalInstances.has(span.service) ? `${span.service} ${span.instanceId}` : span.service
    rows.push({
      label: branch + printable(span.name),
      service: printable(service),
      duration: formatDuration(span.endMs - span.startMs),
      bar: { from: extent.shareAt(span.startMs), to: extent.shareAt(span.endMs) },
      kind: span.error !== undefined ? 'failed' : depth === 0 ? 'root' : 'span',
    })
    if (span.error !== undefined) {
      const lead = below + (children.length > 0 ? '│  ' : '   ')
      rows.push({ label: `${lead}✗ ${printable(span.error)}`, service: '', duration: '', kind: 'error' })
    }
    visitLater(children, below, depth + 1)
  }
  return rows
}

function describeFold(fold: Extract<FoldedChild, { kind: 'fold' }>): string {
  const failed = fold.failedCount > 0 ? `, ${fold.failedCount} failed` : ''
  const durations = `${formatDuration(fold.medianMs)} median, ${formatDuration(fold.maxMs)} max`
  return `${fold.count} more ${printable(fold.name)}, ${durations}${failed}`
}

function layOut(rows: readonly Row[], options: RenderOptions): string {
  const colors = createColors(options.color)
  const width = Math.max(40, Math.floor(options.width))
  const serviceWidth = Math.min(24, Math.floor(width / 4), Math.max(0, ...rows.map(({ service }) => lengthOf(service))))
  const durationWidth = 9
  const barWidth = width >= 72 ? Math.min(32, Math.floor(width / 4)) : 0
  const barSpace = barWidth === 0 ? 0 : barWidth + 2
  const labelWidth = width - serviceWidth - durationWidth - barSpace - 4
  const paint = { root: colors.bold, span: String, failed: colors.red, fold: colors.dim, error: colors.red }
  return rows
    .map((row) => {
      if (row.bar === undefined) return paint[row.kind](fit(row.label, width).trimEnd())
      const label = paint[row.kind](fit(row.label, labelWidth))
      const service = colors.cyan(fit(row.service, serviceWidth))
      const bar =
        barWidth === 0 ? '' : `  ${(row.kind === 'failed' ? colors.red : colors.green)(drawBar(row.bar, barWidth))}`
      return `${label}  ${service}  ${row.duration.padStart(durationWidth)}${bar}`.trimEnd()
    })
    .join('\n')
}

function drawBar({ from, to }: { from: number; to: number }, width: number): string {
  const start = Math.min(width - 1, Math.floor(from * width))
  const length = Math.max(1, Math.min(width - start, Math.round((to - from) * width)))
  return ' '.repeat(start) + '█'.repeat(length)
}

function extentOf(roots: readonly TraceNode[]): { shareAt(timeMs: number): number } {
  let startMs = Infinity
  let endMs = -Infinity
  visitAll(roots, ({ span }) => {
    startMs = Math.min(startMs, span.startMs)
    endMs = Math.max(endMs, span.endMs)
  })
  const lengthMs = endMs - startMs
  return { shareAt: (timeMs) => (lengthMs > 0 ? (timeMs - startMs) / lengthMs : timeMs > startMs ? 1 : 0) }
}

function servicesWithSeveralInstances(roots: readonly TraceNode[]): ReadonlySet<string> {
  const instances = new Map<string, string>()
  const several = new Set<string>()
  visitAll(roots, ({ span: { service, instanceId } }) => {
    if ((instances.get(service) ?? instanceId) !== instanceId) several.add(service)
    instances.set(service, instanceId)
  })
  return several
}

function visitAll(roots: readonly TraceNode[], visit: (node: TraceNode) => void): void {
  const rest = [...roots]
  for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
    visit(node)
    for (const child of node.children) rest.push(child)
  }
}

function formatDuration(durationMs: number): string {
  if (durationMs < 1) return `${durationMs.toFixed(2)} ms`
  if (durationMs < 999.95) return `${durationMs.toFixed(1)} ms`
  if (durationMs < 59_995) return `${(durationMs / 1000).toFixed(2)} s`
  const seconds = Math.round(durationMs / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`
  return `${Math.floor(seconds / 3600)}h ${pad(Math.floor((seconds % 3600) / 60))}m`
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}

// Names and errors come from user code: an escape sequence in one must not reach the terminal, nor a newline the layout.
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}

function lengthOf(text: string): number {
  return Array.from(text).length
}

function fit(text: string, width: number): string {
  const characters = Array.from(text)
  if (characters.length <= width) return text + ' '.repeat(width - characters.length)
  return characters.slice(0, Math.max(0, width - 1)).join('') + '…'
}
