import path from 'node:path'

import { expect, test } from 'vitest'

import { rules } from './rules.js'
import { readTree } from './source-tree.js'

const tree = readTree(path.resolve(import.meta.dirname, '../..'))

test('the tree is there', () => {
  const paths = tree.map((file) => file.path)
  for (const file of ['package.json', 'libs/domain/index.ts', 'services/scheduler/main.ts', 'test/tidy/rules.ts']) {
    expect(paths).toContain(file)
  }
  expect(paths.filter((file) => /(?:^|\/)(?:node_modules|gen|dist)\//.test(file))).toEqual([])
})

test.each(Object.entries(rules))('%s', (_sentence, check) => {
  expect(check(tree)).toEqual([])
})
