import { execFileSync } from 'node:child_process'

import fc from 'fast-check'
import { expect, test } from 'vitest'

import { directiveWord, outputPath, shellWord } from './quoting.js'

const awkward = [
  '',
  ' ',
  "it's",
  '$HOME',
  '`id`',
  '$(id)',
  'a"b',
  String.raw`a\b`,
  '*',
  '~',
  '!!',
  '#x',
  'a\nb',
  'ä€𝕏',
  '-n',
  ';',
]

test('bash reads a quoted word back as the very same text', () => {
  const words = [...awkward, ...fc.sample(fc.string({ unit: 'binary-ascii' }), { numRuns: 300, seed: 1 })].filter(
    (word) => !word.includes('\0'),
  )
  const script = `printf '%s\\0' ${words.map(shellWord).join(' ')}`
  const read = execFileSync('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    .toString('utf8')
    .split('\0')
    .slice(0, -1)
  expect(read).toEqual(words)
})

test('plain words stay readable', () => {
  expect(shellWord('/scratch/mesh-1/a.b:7,c=d')).toBe('/scratch/mesh-1/a.b:7,c=d')
  expect(directiveWord('gpu:a100:2')).toBe('gpu:a100:2')
})

test('what no command line can hold is refused', () => {
  expect(() => shellWord('a\0b')).toThrow(/NUL/)
})

test('sbatch reads quotes and backslashes of a directive as they were meant', () => {
  expect(directiveWord(String.raw`a "b" \c #d`)).toBe(String.raw`"a \"b\" \\c #d"`)
})

test('a value that would start a new line of the script is refused', () => {
  expect(() => directiveWord('cpu\n#SBATCH --uid=0')).toThrow(/control character/)
})

test('percent signs of a folder are no patterns of sbatch', () => {
  expect(outputPath('/data/100%/out')).toBe('/data/100%%/out')
  expect(() => outputPath(String.raw`/data/a\b`)).toThrow(/backslash/)
})
