import { createMemorySink, type GetOptions, type ReceivedBody, type TransferPool } from '#libs/transfer'

/** Loads a blob of the checkpoint-store, or a part of it, verified. Throws a `TransferError`, with the reason BLOB_NOT_FOUND when it is not there. */
export async function loadBlob(
  pool: Pick<TransferPool, 'store'>,
  storeAddresses: () => Promise<readonly string[]>,
  digest: string,
  options: Pick<GetOptions, 'trace' | 'range'> = {},
): Promise<ReceivedBody> {
  const stream = pool.store(await storeAddresses(), 'load')
  let received: ReceivedBody | undefined
  const keep = (body: ReceivedBody): void => void (received = body)
  await stream.get({ $case: 'blobDigest', value: digest }, (header) => createMemorySink(header, keep), options)
  if (received === undefined) throw new Error('the transfer ended without a body')
  return received
}
