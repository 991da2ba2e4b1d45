import { drawLegend, type LegendEntry } from './chart/legend.js'
import { drawAxes, drawPanel, drawTwice, plotAreaOf } from './chart/panel.js'
import { linearScale } from './chart/scale.js'
import { renderFigure } from './figure.js'
import { type Axis, nameOf } from './line-picture.js'
import { markup, type Markup } from './markup.js'
import { type Color, encodePng } from './png.js'

/** A frame on the picture, in the units of its axes. */
export interface PixelFrame {
  readonly x: readonly [from: number, to: number]
  readonly y: readonly [from: number, to: number]
  readonly color: number
  readonly title: string
}

export interface PixelPicture {
  readonly title: string
  readonly caption: string
  readonly x: Axis & { readonly from: number; readonly to: number }
  readonly y: Axis & { readonly from: number; readonly to: number }
  /** uint8[height, width], the row of the largest y first; indices into the palette. */
  readonly pixels: Uint8Array
  readonly width: number
  readonly palette: readonly Color[]
  readonly frames?: readonly PixelFrame[]
  readonly legend: readonly LegendEntry[]
  readonly marks?: (place: (x: number, y: number) => readonly [number, number]) => readonly Markup[]
}

/** Pixels on axes, with frames around parts of them. */
export function renderPixels(picture: PixelPicture): Markup {
  const { title, caption, legend, pixels } = picture
  return renderFigure({
    ...{ title, caption },
    isEmpty: pixels.length === 0,
    content: markup`${drawLegend(legend)}${drawTwice(({ width }) => drawPixels(picture, Math.min(width, 620)))}`,
  })
}

function drawPixels({ title, x, y, pixels, width, palette, frames = [], marks }: PixelPicture, room: number): Markup {
  const ratio = pixels.length / width / width
  const inner = plotAreaOf({ width: room, height: 1_000 })
  const height = (inner.right - inner.left) * ratio
  const size = { width: room, height: inner.top + height + 1_000 - inner.bottom }
  const area = plotAreaOf(size)
  const xScale = linearScale([x.from, x.to], { from: area.left, to: area.right, ticks: 5 })
  const yScale = linearScale([y.from, y.to], { from: area.bottom, to: area.top, ticks: 5 })
  const data = `data:image/png;base64,${encodePng(pixels, width, palette).toString('base64')}`
  return markup`<div class="pixels" style="max-width:${room}px">${drawPanel(size, title, [
    drawAxes({ area, x: xScale, y: yScale, xName: nameOf(x), yName: nameOf(y) }),
    markup`<image href="${data}" x="${area.left}" y="${area.top}" width="${area.right - area.left}" height="${area.bottom - area.top}" preserveAspectRatio="none"/>`,
    ...frames.map((frame) => {
      const [left, right] = frame.x.map(xScale.place) as [number, number]
      const [bottom, top] = frame.y.map(yScale.place) as [number, number]
      return markup`<rect class="frame series-${frame.color}" x="${left + 1}" y="${top + 1}" width="${right - left - 2}" height="${bottom - top - 2}"><title>${frame.title}</title></rect>`
    }),
    ...(marks?.((vx, vy) => [xScale.place(vx), yScale.place(vy)]) ?? []),
  ])}</div>`
}
