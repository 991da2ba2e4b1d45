import { createHash } from 'node:crypto'

import type { ObjectId } from '#libs/domain'
import type { BlobUploader } from '#libs/session'

import type { ObjectStore } from './object-store.js'
import { readBody } from './stored-body.js'

/** Brings an object that is held here into the checkpoint-store; its blob's digest, or nothing when it is not held any more. */
export function createArchive(store: ObjectStore, uploader: BlobUploader) {
  return async (objectId: string): Promise<string | undefined> => {
    const held = store.get(objectId as ObjectId)
    if (held === undefined) return undefined
    // What the disk does not give back is not held any more, and the scheduler hears of that.
    const bytes = await readBody(store, held).catch(() => undefined)
    if (bytes === undefined) return undefined
    const digest = createHash('sha256').update(bytes).digest('hex')
    await uploader.upload([{ digest, bytes }], {})
    return digest
  }
}
