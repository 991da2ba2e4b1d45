import { markup, type Markup } from './markup.js'

export interface FigureOptions {
  readonly title: string
  readonly caption: string
  readonly content: Markup
  /** Says so in place of empty axes. */
  readonly isEmpty: boolean
}

export function renderFigure({ title, caption, content, isEmpty }: FigureOptions): Markup {
  const shown = isEmpty ? markup`<p class="empty">This run has no data for this figure.</p>` : content
  return markup`<figure><h2>${title}</h2>
<figcaption>${caption}</figcaption>
${shown}</figure>
`
}
