import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { Status } from 'nice-grpc-common'
import { expect, test } from 'vitest'

import type { ObjectId } from '#libs/domain'
import { wholeOf } from '#libs/memory'

import { createObjectStore } from './object-store.js'
import { SpillError } from './spill-folder.js'
import { openSpillLab } from './spilling.fixture.js'
import { createSpilling } from './spilling.js'
import { readBody, sourceOf } from './stored-body.js'

async function bytesFrom(source: ReturnType<typeof sourceOf>, offset = 0): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of source.read(offset)) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

test('with more than the target in memory the objects go to disk that were used longest ago, and no more than that', async () => {
  await using lab = await openSpillLab(300)
  const ids = [lab.keep(100), lab.keep(100), lab.keep(100)] as const
  await lab.spilling.rest()
  expect(lab.places(ids)).toEqual(['memory', 'memory', 'memory'])
  lab.store.get(ids[0])
  const newest = lab.keep(100)
  await lab.spilling.rest()
  expect(lab.places([...ids, newest])).toEqual(['memory', 'disk', 'memory', 'memory'])
  expect([lab.store.heldBytes, lab.store.spilledBytes]).toEqual([300, 100])
})

test('what is on the disk is read back, or streamed from any place, bit for bit', async () => {
  await using lab = await openSpillLab(0)
  const id = lab.keep(13_000_001, 7)
  await lab.spilling.rest()
  const object = lab.store.get(id)
  if (object?.place !== 'disk') throw new Error('it was not spilled')
  const whole = Buffer.alloc(13_000_001, 7)
  expect(whole.equals(wholeOf(await readBody(lab.store, object)))).toBe(true)
  expect(whole.equals(await bytesFrom(sourceOf(lab.store, object)))).toBe(true)
  expect((await bytesFrom(sourceOf(lab.store, object), 13_000_000)).equals(Buffer.of(7))).toBe(true)
})

test('nobody else can look into the folder, and what is released leaves it', async () => {
  await using lab = await openSpillLab(0)
  const id = lab.keep(1000)
  await lab.spilling.rest()
  expect((await stat(lab.folder.path)).mode & 0o777).toBe(0o700)
  const [file] = await readdir(lab.folder.path)
  expect((await stat(path.join(lab.folder.path, file ?? ''))).mode & 0o777).toBe(0o600)
  lab.store.release(id)
  await expect.poll(() => readdir(lab.folder.path)).toEqual([])
  expect(lab.store.spilledBytes).toBe(0)
})

test.each([
  ['a bit is flipped', async (file: string) => flipBit(file)],
  ['the file is cut', async (file: string) => writeFile(file, (await readFile(file)).subarray(0, 500))],
])('when %s on the disk the object is DATA_LOSS with its id, and given up', async (_, damage) => {
  await using lab = await openSpillLab(0)
  const ids = [lab.keep(1000), lab.keep(1000)] as const
  await lab.spilling.rest()
  for (const file of await readdir(lab.folder.path)) await damage(path.join(lab.folder.path, file))
  const [one, other] = ids.map((id) => lab.store.get(id))
  if (one?.place !== 'disk' || other?.place !== 'disk') throw new Error('they were not spilled')
  const loss = { code: Status.DATA_LOSS, message: expect.stringContaining(ids[0]) as string }
  await expect(readBody(lab.store, one)).rejects.toMatchObject(loss)
  await expect(sendOf(sourceOf(lab.store, other))).rejects.toMatchObject({ code: Status.DATA_LOSS })
  expect(lab.lost).toEqual(ids)
  expect(lab.store.get(ids[0])).toBeUndefined()
})

test('a part of what is on the disk is compared without the rest: damage elsewhere does not matter to it, in it nothing is given out', async () => {
  await using lab = await openSpillLab(0)
  const pieceBytes = 2 ** 20
  const id = lab.keep(2 * pieceBytes + 5, 7)
  await lab.spilling.rest()
  const object = lab.store.get(id)
  if (object?.place !== 'disk') throw new Error('it was not spilled')
  const [file = ''] = await readdir(lab.folder.path)
  const bytes = await readFile(path.join(lab.folder.path, file))
  bytes[pieceBytes + 1]! ^= 1
  await writeFile(path.join(lab.folder.path, file), bytes)
  const source = sourceOf(lab.store, object)
  expect((await bytesFrom(source, 2 * pieceBytes + 1)).equals(Buffer.alloc(4, 7))).toBe(true)
  const given: number[] = []
  const reading = (async () => {
    for await (const { byteLength } of source.read(pieceBytes - 3)) given.push(byteLength)
  })()
  await expect(reading).rejects.toMatchObject({ code: Status.DATA_LOSS })
  expect(given).toEqual([3])
  expect(lab.lost).toEqual([id])
})

test('a disk without room: nothing is lost, it is said once, and tried again when something else comes after a while', async () => {
  await using lab = await openSpillLab(0, { limitBytes: 1500 })
  const ids = [lab.keep(1000), lab.keep(1000), lab.keep(1000)]
  await lab.spilling.rest()
  expect(lab.places(ids)).toEqual(['disk', 'memory', 'memory'])
  expect(lab.warnings).toEqual([
    expect.stringMatching(/object o-.* cannot be spilled to .*: the spill limit of 1500 bytes/),
  ])
  expect(lab.spilling.canRelieve).toBe(false)
})

test('a disk that fills up in the middle of an object: it stays in memory, and what was written is removed', async () => {
  let abandoned = 0
  const full = new SpillError('no space left on device')
  const refuse = (): Promise<never> => Promise.reject(full)
  const abandon = (): void => {
    abandoned++
  }
  const file = { write: refuse, finish: refuse, abandon }
  const store = createObjectStore()
  const spilling = createSpilling(store, { create: async () => file }, 0, () => undefined)
  store.keep({ objectId: 'o' as ObjectId, structure: undefined, bytes: new Uint8Array(10) })
  spilling.press()
  await spilling.rest()
  expect([abandoned, store.heldBytes, spilling.trouble]).toEqual([1, 10, 'no space left on device'])
})

test('an object that is released while it is written leaves nothing behind', async () => {
  await using lab = await openSpillLab(0)
  const id = lab.keep(1000)
  lab.store.release(id)
  await lab.spilling.rest()
  await expect.poll(() => readdir(lab.folder.path)).toEqual([])
  expect(lab.store.spilledBytes).toBe(0)
})

test('while memory is nearly full everything goes to the disk', async () => {
  await using lab = await openSpillLab(1000)
  const ids = [lab.keep(100), lab.keep(100)]
  lab.spilling.relieve(true)
  await lab.spilling.rest()
  expect(lab.places(ids)).toEqual(['disk', 'disk'])
})

async function flipBit(file: string): Promise<void> {
  const bytes = await readFile(file)
  bytes[400] = (bytes[400] ?? 0) ^ 1
  await writeFile(file, bytes)
}

/** As the transport reads it: the digest of all that was read is verified at the end. */
async function sendOf(source: ReturnType<typeof sourceOf>): Promise<void> {
  const { createDigester } = await import('#libs/transfer')
  const digester = createDigester(source.header.digestAlgorithm)
  digester.update(await bytesFrom(source))
  source.verify?.(digester.digest())
}
