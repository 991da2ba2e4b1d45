import { type Bytes, segmentsOf } from '#libs/memory'
import { DigestAlgorithm, type Value } from '#libs/proto'
import { chunkLengthOf, MeshError, notAnArray, type NumericArray } from '#libs/task'
import { createDigester, xxh64Bytes } from '#libs/transfer'
import { elementsOf } from '#libs/value'

/** An array that is elsewhere. */
export interface RemoteArray {
  readonly objectId: string
  readonly structure: Value | undefined
  readonly byteLength: number
  /** The digest of all bytes, where it is known. */
  readonly xxh64?: bigint | undefined
  /** Brings some of them, checked. */
  readonly fetch: (range: { readonly start: number; readonly byteLength: number }) => Promise<Bytes<ArrayBuffer>>
}

/** How many pieces are on their way while one is used. */
const ahead = 2

/**
 * The elements in pieces, in order, a few of them on their way at a time. The last one is given out when the digest of all is what
 * it should be.
 *
 * @throws TypeError when it is no array; MeshError DATA_LOSS when the bytes are not what they should be; what `fetch` throws.
 */
export async function* streamArray(
  array: RemoteArray,
  chunkBytes: number,
  what: string,
): AsyncGenerator<NumericArray, void> {
  const { structure, xxh64, fetch } = array
  const tensor = elementsOf(structure)
  if (tensor === undefined) throw notAnArray(what)
  const length = chunkLengthOf(chunkBytes, tensor.elementBytes) * tensor.elementBytes
  const end = tensor.offset + tensor.byteLength
  // Bytes before and after the elements are nobody's: then the digest of the elements is not that of the value.
  const isAll = tensor.offset === 0 && end === array.byteLength
  const digester = xxh64 !== undefined && isAll ? createDigester(DigestAlgorithm.XXH64) : undefined
  const coming: Promise<Bytes<ArrayBuffer>>[] = []
  let start = tensor.offset
  const take = async (): Promise<NumericArray> => {
    const bytes = (await coming.shift()) as Bytes<ArrayBuffer>
    for (const segment of segmentsOf(bytes)) digester?.update(segment)
    const isLast = coming.length === 0 && start >= end
    if (isLast && digester && !digester.digest().equals(xxh64Bytes(xxh64 as bigint))) throw damaged(array, what)
    return tensor.view(bytes)
  }
  while (start < end) {
    const piece = fetch({ start, byteLength: Math.min(length, end - start) })
    // Whoever stops before it comes to this one never hears of it.
    piece.catch(() => undefined)
    coming.push(piece)
    start += length
    if (coming.length > ahead) yield await take()
  }
  while (coming.length > 0) yield await take()
}

function damaged({ objectId }: RemoteArray, what: string): MeshError {
  const message = `${what} came in pieces that are not, together, what it is: the digest of ${objectId} differs; begin again`
  return new MeshError('DATA_LOSS', 'RESULT_DAMAGED', message)
}
