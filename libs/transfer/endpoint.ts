import type {
  CheckpointInfo,
  DigestAlgorithm,
  LentMemory,
  ObjectDescriptor,
  TransferHeader,
  TransferOpen,
  TransferReceipt,
  Value,
} from '#libs/proto'

import type { CutPuts } from './cut-puts.js'
import { chunkBytes } from './limits.js'

/** A longer piece costs more to copy than a chunk of its own. */
const joinedBytes = chunkBytes / 8

/** What a get sends or a put brings, without the bytes. */
export interface BodyHeader {
  /** The value whose tensors lie in the body; absent for plain bytes. */
  readonly structure?: Value | undefined
  readonly byteLength: number
  readonly digestAlgorithm: DigestAlgorithm
  /** For a checkpoint: its version, and what is remembered beside it. */
  readonly version?: number
  readonly checkpointInfo?: CheckpointInfo | undefined
  /** For a batch: its objects, whose bytes follow one behind the other. */
  readonly objects?: readonly ObjectDescriptor[]
}

/** A body to send. */
export interface Source {
  readonly header: BodyHeader
  /** The body's digest, where it is known: it is not computed again, and the receiver finds what has changed since. */
  readonly digest?: Buffer
  /** The pieces, where all of them lie in memory. */
  readonly segments?: readonly Uint8Array[]
  /** Whether a piece is only valid until the next one is asked for. */
  readonly reusesMemory?: boolean
  /** The body's pieces in order, of any lengths. They must not change until the transfer ends, unless memory is reused. */
  read(offset: number): Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  /** Gets the digest of all that was read before it is sent. Throws when these are not the bytes that they should be. */
  verify?(digest: Buffer): void
  /** Called in the place of `verify` when only a part was wanted, and was sent. */
  sentPart?(): void
  /** A body that is still arriving here. Its digest is not known before all of it has come and was verified. */
  readonly arriving?: ArrivingBody
  /** Called once when the transfer has ended, whichever way. */
  close?(): void
}

/** What is known of a body of which only the beginning is here. Both reject when the rest does not come. */
export interface ArrivingBody {
  /** Resolves when more than the first `position` bytes are here. */
  until(position: number): Promise<void>
  /** The digest of the whole, once it is here and is what was sent. */
  digest(): Promise<Buffer>
}

/** A place for a body that comes in. */
export interface Sink {
  /** Memory for the next piece, where the sink has it: the piece is read straight into it, and then written as every other. */
  place?(byteLength: number): Uint8Array
  /**
   * Lets a sender on this host, who knows the token, write the rest of the body itself, where the sink can: what is placed next lies there
   * already. When the body is given up the memory is used for nothing else as long as the sender may still write. Nothing when too little
   * is still to come.
   */
  lend?(token: Uint8Array): LentMemory | undefined
  /** What is written is the sink's from then on: `discardBuffer` gives it back. */
  readonly adoptsMemory?: boolean
  /** Takes the next piece; the bytes are the transport's and only valid until this settles, unless the sink adopts them. */
  write(data: Uint8Array): void | Promise<void>
  /** Everything is there and its digest is right: make it visible, whole, and say how safe it is. */
  commit(digest: Buffer): Promise<TransferReceipt>
  /** Forgets what came. Called at most once, and never after a commit that succeeded. */
  abort(): void
}

/** What a listener offers to those who dial. Refusals are thrown as TransferError or as errors of `#libs/rpc`. */
export interface TransferHost {
  openSource(open: TransferOpen): Promise<Source>
  /** A place for the body, or a receipt at once when the body is already there. */
  openSink(open: TransferOpen, header: TransferHeader): Promise<Sink | TransferReceipt>
  /**
   * Stores a small body that is there as a whole and is what its digest says, in less than a sink would take; nothing when this
   * one must go through a sink.
   */
  storeWhole?(
    open: TransferOpen,
    header: TransferHeader,
    data: Buffer,
    digest: Buffer,
  ): Promise<TransferReceipt> | undefined
  /** Gets the body that is opened itself, from one of the sources that the open names. */
  fetch?(open: TransferOpen, signal: AbortSignal): Promise<TransferReceipt>
  /** Where puts that lose their stream wait for the next one; without it they start again. */
  readonly cutPuts?: CutPuts
}

/** The bytes of a body in pieces that lie in memory. */
export function sourceOfSegments(header: BodyHeader, segments: readonly Uint8Array[], digest?: Buffer): Source {
  return { header, segments, read: (offset) => segmentsFrom(segments, offset), ...(digest && { digest }) }
}

/** Short pieces that follow each other are joined: each would be a chunk of its own. */
function* segmentsFrom(segments: readonly Uint8Array[], offset: number): Generator<Uint8Array> {
  let skip = offset
  let short: Uint8Array[] = []
  let shortBytes = 0
  for (const segment of segments) {
    const piece = segment.subarray(skip)
    skip = Math.max(0, skip - segment.byteLength)
    const isShort = piece.byteLength < joinedBytes
    if (shortBytes > 0 && (!isShort || shortBytes + piece.byteLength > chunkBytes)) {
      yield Buffer.concat(short, shortBytes)
      short = []
      shortBytes = 0
    }
    if (isShort) {
      short.push(piece)
      shortBytes += piece.byteLength
    } else yield piece
  }
  if (shortBytes > 0) yield Buffer.concat(short, shortBytes)
}
