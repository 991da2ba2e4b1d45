import { createHash } from 'node:crypto'

import type { ObjectId } from '#libs/domain'
import { partOf, segmentsOf } from '#libs/memory'
import { DigestAlgorithm } from '#libs/proto'
import { createDigester, nextTurn, type Source, sourceOfSegments, xxh64Bytes } from '#libs/transfer'

import type { ArchiveStore } from './archive-store.js'
import type { ObjectStore, StoredObject } from './object-store.js'
import { readSpilled } from './stored-body.js'

/** How much is digested at once, 2 ms of work: meanwhile nothing is sent, received or heard. */
const digestedBytes = 1024 * 1024

/**
 * Brings an object into the checkpoint-store, where it is kept for its sake; its blob's digest, or nothing when it is not held, or
 * not any more. One at a time, beside everything else that the worker does.
 */
export function createArchive(
  store: ObjectStore,
  archiveStore: Pick<ArchiveStore, 'put'>,
): (objectId: string) => Promise<string | undefined> {
  let last: Promise<unknown> = Promise.resolve()

  async function bring(objectId: string): Promise<string | undefined> {
    const held = store.get(objectId as ObjectId)
    // What the disk does not give back is held no longer, and the scheduler hears of that.
    if (held === undefined) return undefined
    const digest = await sha256Of(store, held).catch(() => undefined)
    if (digest === undefined) return undefined
    await archiveStore.put(digest.toString('hex'), sourceOf(store, held, digest), objectId)
    return digest.toString('hex')
  }

  return (objectId) => {
    const brought = last.then(() => bring(objectId))
    last = brought.catch(() => undefined)
    return brought
  }
}

/** The bytes as they are now, wherever they are. They do not come into memory for that. */
function sourceOf(store: ObjectStore, object: StoredObject, digest: Buffer): Source {
  const header = { byteLength: Number(object.descriptor.byteLength), digestAlgorithm: DigestAlgorithm.SHA256 }
  if (object.place === 'memory') return sourceOfSegments(header, segmentsOf(object.bytes), digest)
  return { header, digest, read: (offset) => readSpilled(store, object, offset) }
}

/** @throws TransferError DATA_LOSS when the disk does not give back what was spilled; the store has lost the object then. */
async function sha256Of(store: ObjectStore, object: StoredObject): Promise<Buffer> {
  const sha256 = createHash('sha256')
  if (object.place === 'memory') {
    const { bytes } = object
    for (let at = 0; at < bytes.byteLength; at += digestedBytes) {
      sha256.update(partOf(bytes, at, at + digestedBytes))
      await nextTurn()
    }
    return sha256.digest()
  }
  const xxh64 = createDigester(DigestAlgorithm.XXH64)
  for await (const piece of readSpilled(store, object, 0)) {
    sha256.update(piece)
    xxh64.update(piece)
  }
  if (xxh64.digest().equals(xxh64Bytes(object.descriptor.xxh64))) return sha256.digest()
  store.lose(object)
  throw object.body.damage()
}
