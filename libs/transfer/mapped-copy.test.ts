import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { findLibC } from '#libs/memory'

import { mapCopy } from './mapped-copy.js'

const content = Buffer.alloc(3 * 4096 + 5, 'costate')
let folder = ''
let fd = -1

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), 'costate-mapped-'))
  fs.writeFileSync(path.join(folder, 'body'), content)
  fd = fs.openSync(path.join(folder, 'body'), 'r')
})

afterAll(() => {
  fs.closeSync(fd)
  fs.rmSync(folder, { recursive: true })
})

function map() {
  const copy = mapCopy(fd, content.byteLength)
  if (copy === undefined) throw new Error('the file could not be mapped')
  return copy
}

describe.runIf(findLibC())('a mapped file', () => {
  test('has the bytes of the file, in one buffer', () => {
    const copy = map()
    expect(Buffer.from(copy.bytes).equals(content)).toBe(true)
    expect(copy.bytes).toBe(copy.bytes)
    copy.close()
  })

  test('what is written to it stays here', () => {
    const copy = map()
    copy.bytes[0] = 0
    expect(map().bytes[0]).toBe(content[0])
    expect(fs.readFileSync(path.join(folder, 'body'))[0]).toBe(content[0])
  })

  test('who has looked at it keeps it when it is given up', () => {
    const copy = map()
    const { bytes } = copy
    copy.close()
    copy.close()
    expect(Buffer.from(bytes).equals(content)).toBe(true)
  })

  test('who has not looked at it before it is given up cannot any more', () => {
    const copy = map()
    copy.close()
    expect(() => copy.bytes).toThrow('given up')
  })
})
