import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import type { ObjectId } from '#libs/domain'
import { ElementType, type Value } from '#libs/proto'

import { createObjectStore } from './object-store.js'
import { openSpillFolder, type SpillFolder } from './spill-folder.js'
import { createSpilling } from './spilling.js'

/** A store that spills into a folder of its own. */
export async function openSpillLab(targetBytes: number, options: { readonly limitBytes?: number } = {}) {
  const parent = await mkdtemp(path.join(tmpdir(), 'costate-spill-test-'))
  const folder: SpillFolder = await openSpillFolder(parent, options.limitBytes)
  const lost: ObjectId[] = []
  const warnings: string[] = []
  const store = createObjectStore({ grew: () => spilling.press(), lost: (id) => void lost.push(id) })
  const spilling = createSpilling(store, folder, targetBytes, (message) => void warnings.push(message))
  return {
    ...{ parent, folder, store, spilling, lost, warnings },
    /** Keeps an object of so many bytes, all of them this number. */
    keep: (byteLength: number, fill = 1): ObjectId => {
      const objectId = `o-${randomUUID()}` as ObjectId
      store.keep({ objectId, structure: bytesValue(byteLength), bytes: new Uint8Array(byteLength).fill(fill) })
      return objectId
    },
    places: (ids: readonly ObjectId[]) =>
      ids.map((id) => [...store.values()].find(({ objectId }) => objectId === id)?.place),
    [Symbol.asyncDispose]: async () => {
      await spilling.rest()
      await rm(parent, { recursive: true, force: true })
    },
  }
}

/** The structure of an array of bytes. */
export function bytesValue(length: number): Value {
  const byteLength = BigInt(length)
  const tensor = { elementType: ElementType.UINT8, shape: [byteLength], offset: 0n, byteLength }
  return { kind: { $case: 'tensor', value: tensor } }
}
