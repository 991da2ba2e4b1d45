import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { findAssets } from './assets.js'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'costate-assets-')))
afterAll(() => rmSync(folder, { recursive: true }))
for (const path of [
  'table.csv',
  'src/a b.bin',
  'src/solver.wasm',
  'src/data/x.txt',
  'src/data/y/z.txt',
  'src/tasks.ts',
]) {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), path)
}

test.each([
  [`readFile(new URL('./solver.wasm', import.meta.url))`, ['src/solver.wasm']],
  [`new URL("solver.wasm", import.meta.url)`, ['src/solver.wasm']],
  ['new URL(`../table.csv`,\n  import.meta.url,\n)', ['table.csv']],
  [`new URL('./a%20b.bin', import.meta.url)`, ['src/a b.bin']],
  [`path.join(__dirname, 'solver.wasm')`, ['src/solver.wasm']],
  [`require('path').join(__dirname, "data", 'x.txt')`, ['src/data/x.txt']],
  [`resolve(import.meta.dirname, '../table.csv')`, ['table.csv']],
  [`join(dirname(fileURLToPath(import.meta.url)), 'data/x.txt')`, ['src/data/x.txt']],
  [`path.join(path.dirname(url.fileURLToPath(import.meta.url)), 'data/x.txt')`, ['src/data/x.txt']],
  ['fs.readFileSync(`${__dirname}/solver.wasm`)', ['src/solver.wasm']],
  [`fs.readFileSync(__dirname + '/solver.wasm')`, ['src/solver.wasm']],
  [`new URL('./data/', import.meta.url)`, ['src/data/x.txt', 'src/data/y/z.txt']],
  [`new URL('./solver.wasm', import.meta.url); join(__dirname, 'solver.wasm')`, ['src/solver.wasm']],
])('%s ships what it names', async (source, expected) => {
  const found = await findAssets(source, join(folder, 'src/tasks.ts'))

  expect(found.map((path) => relative(folder, path))).toEqual(expected)
})

test.each([
  `new URL('./not-there-yet.csv', import.meta.url)`,
  `new URL('https://example.com/table.csv', import.meta.url)`,
  `new URL('file:///etc/hosts', import.meta.url)`,
  `new URL('/etc/hosts', import.meta.url)`,
  `new URL('.', import.meta.url)`,
  `new URL('..', import.meta.url)`,
  'new URL(`./${name}`, import.meta.url)',
  `new URL('./solver.wasm', base)`,
  `join(elsewhere, 'solver.wasm')`,
])('%s ships nothing', async (source) => {
  expect(await findAssets(source, join(folder, 'src/tasks.ts'))).toEqual([])
})
