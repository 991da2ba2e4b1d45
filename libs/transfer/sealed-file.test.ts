import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'

import { afterEach, describe, expect, test, vi } from 'vitest'

import { findLibC } from '#libs/memory'
import { DigestAlgorithm } from '#libs/proto'

import { bytesOf } from './pair.fixture.js'
import { xxh64Bytes, xxh64Of } from './digest.js'
import { createUnsealedFile, openSealedFile } from './sealed-file.js'
import { offerSharedBody } from './shared-body.js'

const body = bytesOf(5_000_003)

function create(): NonNullable<ReturnType<typeof createUnsealedFile>> {
  const file = createUnsealedFile()
  if (file === undefined) throw new Error('this system has no memory that can be sealed')
  return file
}

function read(fd: number | undefined): Buffer {
  if (fd === undefined) throw new Error('it could not be opened')
  const into = Buffer.alloc(fs.fstatSync(fd).size)
  for (let done = 0; done < into.byteLength;) done += fs.readSync(fd, into, done, into.byteLength - done, done)
  fs.closeSync(fd)
  return into
}

afterEach(() => vi.unstubAllEnvs())

describe.runIf(process.platform === 'linux' && findLibC())('memory that is sealed', () => {
  test('nobody changes it any more, and who knows where it is reads it', () => {
    const { name, fd, seal } = create()
    fs.writeSync(fd, body)
    const before = { processId: process.pid, descriptor: fd }
    // Somebody could still write to it.
    expect(openSealedFile(name, before)).toBeUndefined()
    const sealed = seal()
    expect(sealed).toEqual(before)
    expect(() => fs.writeSync(fd, body, 0, 1, 0)).toThrow('EPERM')
    expect(() => fs.ftruncateSync(fd, 1)).toThrow('EPERM')
    expect(read(openSealedFile(name, before)).equals(body)).toBe(true)
    fs.closeSync(fd)
    expect(openSealedFile(name, before)).toBeUndefined()
  })

  test('what is not that memory is not opened', async () => {
    const { name, fd, seal } = create()
    const sealed = seal()
    if (sealed === undefined) throw new Error('it could not be sealed')
    expect(openSealedFile(`${name}0`, sealed)).toBeUndefined()
    expect(openSealedFile(name, { ...sealed, descriptor: 0 })).toBeUndefined()
    const other = spawn(process.execPath, ['-e', 'process.stdin.resume()'])
    await once(other, 'spawn')
    expect(openSealedFile(name, { ...sealed, processId: other.pid ?? 0 })).toBeUndefined()
    other.stdin.end()
    await once(other, 'exit')
    expect(openSealedFile(name, { ...sealed, processId: other.pid ?? 0 })).toBeUndefined()
    vi.stubEnv('COSTATE_SHARED_MEMORY', 'off')
    expect(openSealedFile(name, sealed)).toBeUndefined()
    expect(createUnsealedFile()).toBeUndefined()
    fs.closeSync(fd)
  })

  test('a body is offered so once its digest was found there, and else as a file that everybody digests', async () => {
    const header = { byteLength: body.byteLength, digestAlgorithm: DigestAlgorithm.XXH64 }
    const halves = [body.subarray(0, 2_100_000), body.subarray(2_100_000)]
    const right = await offerSharedBody(header, halves, xxh64Bytes(xxh64Of([body])))
    const wrong = await offerSharedBody(header, halves, Buffer.alloc(8))
    const { sealed, name = '' } = right?.shared ?? {}
    if (sealed === undefined) throw new Error('it was not sealed')
    expect(read(openSealedFile(name, sealed)).equals(body)).toBe(true)
    expect(wrong?.shared.sealed).toBeUndefined()
    expect(fs.existsSync(`/dev/shm/${wrong?.shared.name}`)).toBe(true)
    for (const offered of [right, wrong]) offered?.close()
    expect(openSealedFile(name, sealed)).toBeUndefined()
  })
})
