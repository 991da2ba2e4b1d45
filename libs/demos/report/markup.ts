/** A piece of HTML or SVG that is safe to embed. Only `markup` and `trusted` make it, so nothing gets in unescaped. */
export interface Markup {
  readonly kind: 'markup'
  readonly text: string
}

type Part = string | number | Markup | readonly Markup[] | null

/**
 * Template tag: strings are escaped (for text and for quoted attributes alike), numbers are coordinates and rounded to
 * 1/100, markup passes through, null leaves nothing. Numbers for people go through `format.ts` and arrive as strings.
 */
export function markup(literals: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  let text = literals[0]!
  for (const [i, part] of parts.entries()) text += textOf(part) + literals[i + 1]!
  return { kind: 'markup', text }
}

/** For text that this program wrote itself, such as a style sheet. */
export function trusted(text: string): Markup {
  return { kind: 'markup', text }
}

export const nothing: Markup = trusted('')

function textOf(part: Part): string {
  if (part === null) return ''
  if (typeof part === 'string') return escapeText(part)
  if (typeof part === 'number') return String(Math.round(part * 100) / 100)
  return 'text' in part ? part.text : part.map((piece) => piece.text).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Escapes for HTML and XML. What neither may hold, or what would reorder the text around it, becomes visible instead. */
export function escapeText(text: string): string {
  return (
    text
      .replace(/[&<>"']/g, (character) => entities[character]!)
      // Terminal colours in an error message are control characters.
      .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, (control) => String.fromCharCode(0x2400 + control.charCodeAt(0)))
      .replace(/[\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd')
  )
}
