import { formatDuration } from '#libs/domain'

import type { CpuSamples } from './sampling/cpu-samples.js'

/** A function with all that it called. */
interface Frame {
  readonly name: string
  us: number
  readonly calls: Map<string, Frame>
}

const width = 1_200
const rowHeight = 18
const mostRows = 60
/** Narrower ones are not drawn: nobody could point at them. */
const leastWidth = 0.5
const charWidth = 6.6

/**
 * A flame graph as SVG: each box is a function, as wide as its share of the processor time with all that it called, which stands
 * below it. Boxes say name, place, time and share when pointed at. The text is escaped, and the file needs nothing else.
 */
export function renderFlameGraph(samples: CpuSamples): string {
  const root = treeOf(samples)
  const boxes: string[] = []
  let rows = 0
  const draw = (frame: Frame, x: number, row: number): void => {
    const frameWidth = (frame.us / root.us) * width
    if (frameWidth < leastWidth || row >= mostRows) return
    rows = Math.max(rows, row + 1)
    boxes.push(boxOf(frame, x, row, frameWidth, root.us))
    let childX = x
    for (const call of [...frame.calls.values()].sort((a, b) => b.us - a.us)) {
      draw(call, childX, row + 1)
      childX += (call.us / root.us) * width
    }
  }
  if (root.us > 0) draw(root, 0, 0)
  const height = Math.max(1, rows) * rowHeight
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Flame graph" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11">${boxes.join('')}</svg>`
}

function treeOf({ frames, stacks }: CpuSamples): Frame {
  const root: Frame = { name: 'all tasks', us: 0, calls: new Map() }
  for (const [stack, us] of stacks) {
    root.us += us
    let at = root
    for (const place of stack) {
      const name = frames[place] ?? ''
      let call = at.calls.get(name)
      if (call === undefined) at.calls.set(name, (call = { name, us: 0, calls: new Map() }))
      call.us += us
      at = call
    }
  }
  return root
}

function boxOf({ name, us }: Frame, x: number, row: number, boxWidth: number, allUs: number): string {
  const y = row * rowHeight
  const chars = Math.floor((boxWidth - 6) / charWidth)
  const short = name.replace(/ \(.*\)$/, '')
  const label = chars < 3 ? '' : short.length <= chars ? short : `${short.slice(0, chars - 1)}…`
  const title = `${name}: ${formatDuration(us / 1_000)}, ${((100 * us) / allUs).toFixed(1)} %`
  const text = label && `<text x="${(x + 4).toFixed(2)}" y="${y + 12.5}" fill="#1c1206">${escape(label)}</text>`
  const box = `<rect x="${x.toFixed(2)}" y="${y}" width="${Math.max(0.4, boxWidth - 0.6).toFixed(2)}" height="${rowHeight - 1}" rx="2" fill="${colorOf(name)}"/>`
  return `<g><title>${escape(title)}</title>${box}${text}</g>`
}

/** Functions of one file have one hue, so that a solver stands out from what calls it. */
function colorOf(name: string): string {
  const file = /\((.*):\d+\)$/.exec(name)?.[1] ?? name
  let hash = 7
  for (const char of file) hash = (hash * 31 + char.charCodeAt(0)) % 9_973
  return `hsl(${18 + (hash % 40)} ${70 + (hash % 25)}% ${62 + (hash % 17)}%)`
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (char) => entities[char] ?? char).replace(/\p{Cc}|\p{Surrogate}/gu, '\ufffd')
}
