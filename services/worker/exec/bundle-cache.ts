import { findUnpackedBundle, unpackBundle } from '#libs/bundle'
import type { TaskFailure } from '#libs/domain'
import { wholeOf } from '#libs/memory'
import { createMemorySink, type ReceivedBody, TransferError, type TransferPool } from '#libs/transfer'

/** The bundles on this machine, fetched from the checkpoint-store when first needed. */
export interface BundleCache {
  /** The path of the bundle's entry, or nothing when it is not here yet. */
  path(digest: string): string | undefined
  /** `trace` is the task that wants it first. */
  fetch(digest: string, trace: Readonly<Record<string, string>>): Promise<string>
}

export function createBundleCache(
  directory: string,
  pool: TransferPool,
  storeAddresses: () => Promise<readonly string[]>,
): BundleCache {
  const paths = new Map<string, string>()
  const underWay = new Map<string, Promise<string>>()

  async function fetch(digest: string, trace: Readonly<Record<string, string>>): Promise<string> {
    const here = await findUnpackedBundle(directory, digest)
    if (here !== undefined) return here
    let received: ReceivedBody | undefined
    const stream = pool.store(await storeAddresses(), 'load')
    await stream.get(
      { $case: 'blobDigest', value: digest },
      (header) =>
        createMemorySink(header, (body) => {
          received = body
        }),
      { trace },
    )
    return await unpackBundle(received ? wholeOf(received.bytes) : new Uint8Array(0), directory, digest)
  }

  return {
    path: (digest) => paths.get(digest),
    fetch: (digest, trace) => {
      let fetching = underWay.get(digest)
      if (fetching === undefined) {
        fetching = fetch(digest, trace)
          .then((path) => {
            paths.set(digest, path)
            return path
          })
          .finally(() => underWay.delete(digest))
        underWay.set(digest, fetching)
      }
      return fetching
    },
  }
}

/** How a task fails whose bundle cannot be had; INPUT_UNAVAILABLE lets the scheduler try again. */
export function failureOfBundle(digest: string, error: unknown): TaskFailure {
  const message = `bundle ${digest.slice(0, 12)} could not be fetched from the checkpoint-store: ${(error as Error).message}`
  const gone = error instanceof TransferError && error.reason === 'BLOB_NOT_FOUND'
  if (gone) return { kind: 'bundle', reason: 'BUNDLE_NOT_FOUND', message: `${message}; submit the job again` }
  return { kind: 'input', reason: 'INPUT_UNAVAILABLE', message }
}
