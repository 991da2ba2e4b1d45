import { promisify } from 'node:util'
import { brotliCompress, brotliCompressSync, brotliDecompress, constants } from 'node:zlib'

const compress = promisify(brotliCompress)
const decompress = promisify(brotliDecompress)
/** As fast as deflate at its fastest where there is something to gain, three times as fast where there is not, and no larger. */
const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }
const samples = 4
const sampleBytes = 4096
/** A shorter chunk takes a block of the disk or two whatever is done to it. */
const leastBytes = 2 * samples * sampleBytes
/** What a sample must come to, in its own length, before all is compressed; and what all must come to before that is kept. */
const mostOfSample = 0.75
const mostOfAll = 0.8

/** The bytes in a shorter form; nothing where that does not pay, as for most Float64: a few pages of it say so beforehand. */
export async function pack(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  if (bytes.byteLength < leastBytes || !promises(bytes)) return undefined
  const packed = await compress(bytes, options)
  return packed.byteLength <= mostOfAll * bytes.byteLength ? packed : undefined
}

/** @throws when it is not what `pack` made of so many bytes. */
export async function unpack(packed: Uint8Array, byteLength: number): Promise<Uint8Array> {
  // One more would show that there are too many.
  const bytes = await decompress(packed, { maxOutputLength: byteLength + 1 })
  if (bytes.byteLength === byteLength) return bytes
  throw new Error(`${packed.byteLength} packed bytes were ${bytes.byteLength}, not ${byteLength}`)
}

/** Whether pieces from all over the bytes can be made shorter. Takes 0.3 ms. */
function promises(bytes: Uint8Array): boolean {
  const sample = Buffer.allocUnsafe(samples * sampleBytes)
  for (let k = 0; k < samples; k++) {
    const from = Math.floor((k * (bytes.byteLength - sampleBytes)) / (samples - 1))
    sample.set(bytes.subarray(from, from + sampleBytes), k * sampleBytes)
  }
  return brotliCompressSync(sample, options).byteLength <= mostOfSample * sample.byteLength
}
