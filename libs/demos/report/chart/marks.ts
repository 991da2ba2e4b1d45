import { markup, type Markup } from '../markup.js'
import type { Scale } from './scale.js'

/** Points in data space. */
export interface Series {
  readonly x: ArrayLike<number>
  readonly y: ArrayLike<number>
}

/** A polyline through the points; where a value has no place on the axes the line is broken, so gaps stay visible. */
export function drawLine(series: Series, x: Scale, y: Scale, style: string): Markup {
  let path = ''
  let isPenDown = false
  for (let i = 0; i < series.x.length; i++) {
    const [vx, vy] = [series.x[i]!, series.y[i]!]
    if (x.holds(vx) && y.holds(vy)) path += `${isPenDown ? 'L' : 'M'}${pixel(x.place(vx))} ${pixel(y.place(vy))}`
    isPenDown = x.holds(vx) && y.holds(vy)
  }
  return markup`<path class="line ${style}" d="${path}"/>`
}

/** Values that hold from each point to the next (one less than points): drawn as steps. */
export function drawSteps(series: Series, x: Scale, y: Scale, style: string): Markup {
  const corners = { x: [] as number[], y: [] as number[] }
  for (let i = 0; i < series.y.length; i++) {
    corners.x.push(series.x[i]!, series.x[i + 1]!)
    corners.y.push(series.y[i]!, series.y[i]!)
  }
  return drawLine(corners, x, y, style)
}

/** A right answer: a small dot. `title` shows while the pointer rests on it. */
export function drawDot(atX: number, atY: number, style: string, title: string): Markup {
  return markup`<circle class="dot ${style}" cx="${atX}" cy="${atY}" r="2.6"><title>${title}</title></circle>`
}

/** What a reference says: a ring, so that what lies on it shows through. */
export function drawRing(atX: number, atY: number, style: string, title: string): Markup {
  return markup`<circle class="ring ${style}" cx="${atX}" cy="${atY}" r="5"><title>${title}</title></circle>`
}

/** A wrong answer: a diamond, so that it differs in shape as well as in colour. */
export function drawDiamond(atX: number, atY: number, title: string): Markup {
  return markup`<path class="wrong" d="M${atX} ${atY - 6}l6 6l-6 6l-6 -6z"><title>${title}</title></path>`
}

/** A wrong answer that the axis does not reach: an arrowhead at the edge, pointing to where it would be. */
export function drawOffScale(atX: number, atY: number, direction: 'up' | 'down', title: string): Markup {
  const tip = direction === 'up' ? -10 : 10
  return markup`<path class="wrong" d="M${atX} ${atY}l6 ${-tip}h-12z"><title>${title}</title></path>`
}

/** No answer at all: a cross. */
export function drawCross(atX: number, atY: number, title: string): Markup {
  return markup`<path class="missing" d="M${atX - 4} ${atY - 4}l8 8m0 -8l-8 8"><title>${title}</title></path>`
}

export function drawRule(scale: Scale, value: number, across: readonly [number, number], style: string): Markup {
  const at = scale.place(value)
  return markup`<line class="${style}" x1="${across[0]}" x2="${across[1]}" y1="${at}" y2="${at}"/>`
}

function pixel(value: number): string {
  return String(Math.round(value * 100) / 100)
}
