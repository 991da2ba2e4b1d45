import { markup, type Markup } from './markup.js'

/** A figure at a glance: its name, its value with its unit, and what it counts. */
export type Tile = readonly [name: string, value: string, note: string]

export function renderTiles(tiles: readonly Tile[]): Markup {
  return markup`<section class="tiles" aria-label="Figures of the run">${tiles.map(
    ([name, value, note]) =>
      markup`<div class="tile"><p class="tile-name">${name}</p><p class="tile-value">${value}</p><p class="tile-unit">${note}</p></div>`,
  )}</section>
`
}
