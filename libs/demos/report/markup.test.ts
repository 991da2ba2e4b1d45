import { expect, test } from 'vitest'
import { escapeText, markup } from './markup.js'

test('strings are escaped, markup passes, numbers are coordinates, null is nothing', () => {
  const inner = markup`<b>${'1 < 2 & "3"'}</b>`
  expect(markup`<p x="${1 / 3}">${inner}${[inner, inner]}${null}</p>`.text).toBe(
    `<p x="0.33">${'<b>1 &lt; 2 &amp; &quot;3&quot;</b>'.repeat(3)}</p>`,
  )
})

test('every character that means something to HTML is escaped', () => {
  expect(escapeText(`<script>'"&`)).toBe('&lt;script&gt;&#39;&quot;&amp;')
})

test('what neither HTML nor XML may hold becomes visible', () => {
  expect(escapeText('\x1b[31mred\x00')).toBe('␛[31mred␀')
  expect(escapeText('a\ud800b \u202eevil\ufffe')).toBe('a\ufffdb \ufffdevil\ufffd')
  expect(escapeText('tab\tline\nℓ 😀')).toBe('tab\tline\nℓ 😀')
})
