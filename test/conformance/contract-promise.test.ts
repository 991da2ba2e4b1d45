import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'costate-proto-'))
  cpSync(path.join(root, 'proto'), folder, { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true }))

/** What `make proto` says when a file of the contracts is changed like this. */
function breaksWhen(file: string, change: (text: string) => string): string {
  const changed = path.join(folder, file)
  const text = readFileSync(changed, 'utf8')
  const after = change(text)
  expect(after).not.toBe(text)
  writeFileSync(changed, after)
  try {
    execFileSync(path.join(root, 'node_modules/.bin/buf'), ['breaking', '--against', 'released.binpb'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return ''
  } catch (error) {
    return (error as { readonly stdout: string }).stdout
  }
}

const failure = 'costate/types/v1/failure.proto'

test('a field that takes a number kept free for it breaks nothing', () => {
  const added = breaksWhen(failure, (text) =>
    text.replace(
      /reserved (\d+) to 31;/,
      (_, first) => `string host = ${first};\n  reserved ${Number(first) + 1} to 31;`,
    ),
  )
  expect(added).toBe('')
})

test('a field that is gone is a break, whatever is reserved for it', () => {
  const removed = breaksWhen(failure, (text) => text.replace('uint32 attempts = 7;', 'reserved 7;'))
  expect(removed).toContain('Previously present field "7" with name "attempts" on message "Failure" was deleted')
})

test('a field with another type is a break', () => {
  const retyped = breaksWhen(failure, (text) => text.replace('uint32 attempts = 7;', 'string attempts = 7;'))
  expect(retyped).toContain('changed type')
})
