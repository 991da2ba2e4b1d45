import { expect, test } from 'vitest'

import { cutLine, maxLineUnits } from './line.js'

test('a line that fits stays as it is', () => {
  expect(cutLine('said')).toBe('said')
  expect(cutLine('x'.repeat(maxLineUnits))).toHaveLength(maxLineUnits)
})

test('a long line ends with how much of it was cut', () => {
  const cut = cutLine('x'.repeat(20_000_000))
  expect(cut.length).toBeLessThan(maxLineUnits + 100)
  expect(cut.slice(maxLineUnits)).toBe(`… [${20_000_000 - maxLineUnits} more characters were cut]`)
})

test('no character is cut in two', () => {
  const cut = cutLine(`x${'😀'.repeat(maxLineUnits)}`)
  // Half a pair does not come back.
  expect(Buffer.from(cut).toString()).toBe(cut)
  expect(cut.slice(0, 3)).toBe('x😀')
})

test('what is no text is told as text', () => {
  expect(cutLine(7)).toBe('7')
})
