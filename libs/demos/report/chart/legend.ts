import { markup, type Markup } from '../markup.js'

export interface LegendEntry {
  readonly symbol: 'line' | 'dash' | 'dot' | 'ring' | 'block' | 'diamond' | 'arrowhead' | 'cross'
  readonly style: string
  readonly label: string
}

/** A line of text above the drawing rather than a box in it: it wraps on a phone and can never cover data. */
export function drawLegend(entries: readonly LegendEntry[]): Markup {
  return markup`<ul class="legend">${entries.map(
    ({ symbol, style, label }) =>
      markup`<li><svg width="22" height="12" viewBox="0 0 22 12" aria-hidden="true">${drawSymbol(symbol, style)}</svg>${label}</li>`,
  )}</ul>`
}

function drawSymbol(symbol: LegendEntry['symbol'], style: string): Markup {
  switch (symbol) {
    case 'line':
      return markup`<path class="line ${style}" d="M1 6h20"/>`
    case 'dash':
      return markup`<path class="${style}" d="M1 6h20"/>`
    case 'dot':
      return markup`<circle class="dot ${style}" cx="11" cy="6" r="4"/>`
    case 'ring':
      return markup`<circle class="ring ${style}" cx="11" cy="6" r="5"/>`
    case 'block':
      return markup`<rect class="${style}" x="4" y="1" width="14" height="10" rx="2"/>`
    case 'diamond':
      return markup`<path class="wrong" d="M11 0l6 6l-6 6l-6 -6z"/>`
    case 'arrowhead':
      return markup`<path class="wrong" d="M11 1l6 10h-12z"/>`
    case 'cross':
      return markup`<path class="missing" d="M7 2l8 8m0 -8l-8 8"/>`
    default:
      return symbol satisfies never
  }
}
