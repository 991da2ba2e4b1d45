import { drawPanel, drawTwice } from './chart/panel.js'
import { linearScale, type Scale } from './chart/scale.js'
import { formatPercent, formatPlural } from './format.js'
import { markup, nothing, type Markup } from './markup.js'

/** A stretch of time in a lane. */
export interface TimelineBlock {
  readonly fromMs: number
  readonly toMs: number
  readonly style: string
  /** Shows while the pointer rests on it. */
  readonly title: string
  /** Marked from above as well, so that it is seen however narrow it is. */
  readonly isFlagged?: boolean
}

/** What one slot did. */
export interface TimelineLane {
  readonly name: string
  readonly blocks: readonly TimelineBlock[]
}

/** A moment that all lanes share. */
export interface TimelineMoment {
  readonly atMs: number
  readonly label: string
}

export interface Timeline {
  readonly lanes: readonly TimelineLane[]
  readonly durationMs: number
  readonly moments?: readonly TimelineMoment[]
}

const laneGap = 4
const axisHeight = 36
const topHeight = 22
const letterWidth = 7.7

/** What every slot did and when; bare lane is a slot that waits. */
export function drawTimeline(timeline: Timeline): Markup {
  return drawTwice(({ width, isNarrow }) => drawLanes(timeline, width, isNarrow))
}

function drawLanes({ lanes, durationMs, moments = [] }: Timeline, width: number, isNarrow: boolean): Markup {
  const labelLetters = isNarrow ? 12 : 24
  const longest = Math.max(...lanes.map(({ name }) => Math.min(labelLetters, name.length)), 4)
  const [left, right] = [longest * letterWidth + 10, width - 52]
  const laneHeight = lanes.length <= 8 ? 24 : lanes.length <= 24 ? 16 : 12
  const bottom = topHeight + lanes.length * (laneHeight + laneGap)
  const ends = lanes.flatMap((lane) => lane.blocks.map(({ toMs }) => toMs))
  const x = linearScale([0, durationMs, ...ends], { from: left, to: right, ticks: isNarrow ? 4 : 10 })
  const unit =
    x.max < 1000 ? { name: 'ms', ms: 1 } : x.max < 600_000 ? { name: 's', ms: 1000 } : { name: 'min', ms: 60_000 }
  const axis = linearScale([x.min / unit.ms, x.max / unit.ms], { from: left, to: right, ticks: isNarrow ? 4 : 10 })
  const ticks = axis.ticks.map(({ value, label }) => {
    const at = axis.place(value)
    return markup`<line class="grid" x1="${at}" x2="${at}" y1="${topHeight}" y2="${bottom}"/>
<text class="tick" x="${at}" y="${bottom + 14}" text-anchor="middle">${label}</text>`
  })
  const size = { width, height: bottom + axisHeight }
  return drawPanel(size, `Which task ran when on each of ${formatPlural(lanes.length, 'slot')}`, [
    ...lanes.map((lane, i) => {
      const top = topHeight + i * (laneHeight + laneGap)
      const middle = top + laneHeight / 2 + 4
      return markup`<rect class="lane" x="${left}" y="${top}" width="${right - left}" height="${laneHeight}"/>
<text class="tick" x="${left - 8}" y="${middle}" text-anchor="end">${shorten(lane.name, labelLetters)}<title>${lane.name}</title></text>
<text class="tick" x="${width - 6}" y="${middle}" text-anchor="end">${formatPercent(busyShare(lane, durationMs))}</text>`
    }),
    ...ticks,
    ...lanes.flatMap((lane, i) =>
      lane.blocks.map((block) => drawBlock(block, x, topHeight + i * (laneHeight + laneGap), laneHeight)),
    ),
    ...moments.map((moment) => drawMoment(moment, x, bottom)),
    markup`<text class="name" x="${left - 8}" y="13" text-anchor="end">slot</text>
<text class="name" x="${width - 6}" y="13" text-anchor="end">busy</text>
<text class="name" x="${right}" y="${bottom + 31}" text-anchor="end">${`time since submit, ${unit.name}`}</text>`,
  ])
}

function drawBlock(
  { fromMs, toMs, style, title, isFlagged }: TimelineBlock,
  x: Scale,
  top: number,
  height: number,
): Markup {
  const [from, to] = [x.place(fromMs), x.place(toMs)]
  // A hair narrower than it lasted, so that tasks back to back remain countable; never so narrow that it vanishes.
  const width = Math.max(0.8, to - from - (to - from > 3 ? 0.8 : 0))
  const flag = isFlagged
    ? markup`<path class="flag" d="M${from + width / 2 - 4} ${top - 3}h8l-4 6z"><title>${title}</title></path>`
    : nothing
  return markup`<rect class="task ${style}" x="${from}" y="${top + 2}" width="${width}" height="${height - 4}"><title>${title}</title></rect>${flag}`
}

function drawMoment({ atMs, label }: TimelineMoment, x: Scale, bottom: number): Markup {
  const at = x.place(atMs)
  return markup`<line class="moment" x1="${at}" x2="${at}" y1="${topHeight - 4}" y2="${bottom}"/>
<text class="moment-name" x="${at}" y="13" text-anchor="middle">${label}</text>`
}

function busyShare({ blocks }: TimelineLane, durationMs: number): number {
  const busyMs = blocks.reduce((sum, { fromMs, toMs }) => sum + Math.max(0, toMs - fromMs), 0)
  return busyMs / durationMs
}

/** Keeps both ends: ids that start alike mostly differ at the end. */
function shorten(text: string, letters: number): string {
  if (text.length <= letters) return text
  const tail = Math.ceil((letters - 1) * 0.6)
  return `${text.slice(0, letters - 1 - tail)}…${text.slice(-tail)}`
}
