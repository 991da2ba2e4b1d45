import { createHash } from 'node:crypto'

import type { ObjectId } from '#libs/domain'
import type { BlobUploader } from '#libs/session'

import type { ObjectStore } from './object-store.js'
import { readBody } from './stored-body.js'

/** Brings an object into the checkpoint-store; its blob's digest, or nothing when it is not held, or not any more. */
export function createArchive(
  store: ObjectStore,
  uploader: Pick<BlobUploader, 'upload'>,
): (objectId: string) => Promise<string | undefined> {
  return async (objectId) => {
    const held = store.get(objectId as ObjectId)
    // What the disk does not give back is held no longer, and the scheduler hears of that.
    const bytes = held && (await readBody(store, held).catch(() => undefined))
    if (bytes === undefined) return undefined
    const digest = createHash('sha256').update(bytes).digest('hex')
    await uploader.upload([{ digest, bytes }], {})
    return digest
  }
}
