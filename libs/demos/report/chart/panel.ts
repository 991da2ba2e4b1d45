import { markup, type Markup } from '../markup.js'
import type { Scale } from './scale.js'

/** The size of a drawing in its own units, which are about one CSS pixel at the width it is meant for. */
export interface PanelSize {
  readonly width: number
  readonly height: number
}

/** Pixel edges of the area inside the axes. */
export interface PlotArea {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export const panelSize: PanelSize = { width: 380, height: 250 }

const gutterLeft = 46
const gutterRight = 14
const gutterTop = 26
const gutterBottom = 42

/** The area that is left when tick labels, axis names and `extra` space have their room. */
export function plotAreaOf({ width, height }: PanelSize, extra: Partial<PlotArea> = {}): PlotArea {
  return {
    left: gutterLeft + (extra.left ?? 0),
    right: width - gutterRight - (extra.right ?? 0),
    top: gutterTop + (extra.top ?? 0),
    bottom: height - gutterBottom - (extra.bottom ?? 0),
  }
}

export interface AxesOptions {
  readonly area: PlotArea
  readonly x: Scale
  readonly y: Scale
  readonly xName: string
  readonly yName: string
}

/** Grid, tick labels and axis names. The name of the y axis stands upright above it, where it is easy to read. */
export function drawAxes({ area, x, y, xName, yName }: AxesOptions): Markup {
  const rows = y.ticks.map(({ value, label }) => {
    const at = y.place(value)
    return markup`<line class="grid" x1="${area.left}" x2="${area.right}" y1="${at}" y2="${at}"/>
<text class="tick" x="${area.left - 7}" y="${at + 4}" text-anchor="end">${label}</text>`
  })
  const columns = x.ticks.map(({ value, label }) => {
    const at = x.place(value)
    return markup`<line class="axis" x1="${at}" x2="${at}" y1="${area.bottom}" y2="${area.bottom + 4}"/>
<text class="tick" x="${at}" y="${area.bottom + 17}" text-anchor="middle">${label}</text>`
  })
  return markup`${rows}${columns}<line class="axis" x1="${area.left}" x2="${area.right}" y1="${area.bottom}" y2="${area.bottom}"/>
<text class="name" x="${area.left - 40}" y="14">${yName}</text>
<text class="name" x="${area.right}" y="${area.bottom + 34}" text-anchor="end">${xName}</text>`
}

/** One drawing that scales with the width it is given. `description` is what a screen reader says. */
export function drawPanel({ width, height }: PanelSize, description: string, content: readonly Markup[]): Markup {
  return markup`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${description}">${content}</svg>`
}

/** Wide screens and paper, and phones: the same figure drawn twice, because shrunken text cannot be read. */
export function drawTwice(draw: (layout: { readonly width: number; readonly isNarrow: boolean }) => Markup): Markup {
  return markup`<div class="wide">${draw({ width: 960, isNarrow: false })}</div>
<div class="narrow">${draw({ width: 380, isNarrow: true })}</div>`
}
