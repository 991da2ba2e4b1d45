import { createHash } from 'node:crypto'

import { wholeOf } from '#libs/memory'
import {
  DigestAlgorithm,
  Durability,
  type TransferFrame,
  type TransferHeader,
  type TransferOpen,
  type TransferReceipt,
} from '#libs/proto'
import { isLargeMessage, rpcError } from '#libs/rpc'

import type { CutPuts } from './cut-puts.js'
import { TransferStream, type TransferTarget } from './dial.js'
import { type Sink, type Source, sourceOfSegments, type TransferHost } from './endpoint.js'
import { decodeFrameMessage, encodeFrameMessage, type FrameMessage } from './frame-codec.js'
import { createMemorySink } from './memory-sink.js'
import { serveTransfers } from './serve.js'
import { nameOf } from './target-name.js'

type Frame = NonNullable<TransferFrame['frame']>

/** Changes, drops or multiplies the frames that pass in one direction. */
export type Tamper = (frame: Frame, transferId: number) => Frame | readonly Frame[]

export interface PairOptions {
  readonly host: TransferHost
  /** What happens to frames on their way to the listener. */
  readonly up?: Tamper
  /** What happens to frames on their way to the dialler. */
  readonly down?: Tamper
}

/** Both halves of a bulk stream in one process: every frame passes through the codec, as bytes. */
export function connectPair({ host, up = same, down = same }: PairOptions): {
  stream: TransferStream
  cut: () => void
} {
  const wire = new AbortController()
  const stream = new TransferStream((requests, { signal }) => {
    const ended = AbortSignal.any([signal, wire.signal])
    const refuse = (reason: string, message: string): Error => rpcError('FAILED_PRECONDITION', reason, message)
    const responses = serveTransfers(passWire(requests, up, ended), host, 'the store', refuse)
    return passWire(responses, down, ended)
  }, 'the store')
  return { stream, cut: () => wire.abort(new Error('connection reset')) }
}

function same(frame: Frame): Frame {
  return frame
}

async function* passWire(
  messages: AsyncIterable<FrameMessage>,
  tamper: Tamper,
  signal: AbortSignal,
): AsyncGenerator<FrameMessage, void> {
  const iterator = messages[Symbol.asyncIterator]()
  const cut = new Promise<never>((_, reject) => {
    const fail = (): void => reject(signal.reason as Error)
    if (signal.aborted) fail()
    else signal.addEventListener('abort', fail, { once: true })
  })
  cut.catch(() => undefined)
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), cut])
      if (next.done === true) return
      const { frame } = decodeFrameMessage(bytesOnWire(next.value))
      if (frame?.frame === undefined) continue
      for (const changed of [tamper(frame.frame, frame.transferId)].flat()) {
        yield decodeFrameMessage(bytesOnWire({ frame: { transferId: frame.transferId, frame: changed } }))
      }
    }
  } finally {
    void iterator.return?.()
  }
}

/** A message as the transport carries it. */
export function bytesOnWire(message: FrameMessage): Uint8Array {
  const encoded = encodeFrameMessage(message)
  if (!isLargeMessage(encoded)) return encoded
  const bytes = Buffer.alloc(encoded.byteLength)
  encoded.writeTo(bytes, 0)
  return bytes
}

/** A listener that keeps bodies in memory and counts what it opened and freed. */
export class MemoryHost implements TransferHost {
  readonly bodies = new Map<string, Uint8Array>()
  readonly opens: TransferOpen[] = []
  /** Where puts wait that lost their stream, if they do. */
  cutPuts?: CutPuts
  sourcesOpen = 0
  sinksOpen = 0

  async openSource(open: TransferOpen): Promise<Source> {
    this.opens.push(open)
    const body = this.bodies.get(nameOf(open))
    if (body === undefined) throw rpcError('NOT_FOUND', 'OBJECT_NOT_FOUND', `${nameOf(open)} is not here`)
    this.sourcesOpen++
    return { ...sourceOf(body), close: () => this.sourcesOpen-- }
  }

  async openSink(open: TransferOpen, header: TransferHeader): Promise<Sink | TransferReceipt> {
    this.opens.push(open)
    this.sinksOpen++
    const sink = createMemorySink(header, ({ bytes }) => void this.bodies.set(nameOf(open), wholeOf(bytes)))
    return {
      write: (data) => sink.write(data),
      commit: async (digest) => {
        const receipt = await sink.commit(digest)
        this.sinksOpen--
        return receipt
      },
      abort: () => this.sinksOpen--,
    }
  }
}

/** A body in memory as a source. */
export function sourceOf(body: Uint8Array, digestAlgorithm = DigestAlgorithm.XXH64): Source {
  return sourceOfSegments({ byteLength: body.byteLength, digestAlgorithm }, [body])
}

/** The target of an object with this id. */
export function objectOf(id: string): TransferTarget {
  return { $case: 'objectId', value: id }
}

/** Bytes that differ everywhere, the same for the same seed. */
export function bytesOf(byteLength: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(byteLength)
  let state = seed * 2654435761
  for (let i = 0; i < byteLength; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

/** What identifies a body in an assertion, without printing megabytes when it fails. */
export function fingerprint(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? 'nothing' : `${bytes.byteLength}:${createHash('sha256').update(bytes).digest('hex')}`
}

/** Gets a body into memory. */
export async function getBody(
  stream: TransferStream,
  id: string,
  options: { signal?: AbortSignal; trace?: Record<string, string> } = {},
): Promise<Uint8Array> {
  let got: Uint8Array | undefined
  await stream.get(
    objectOf(id),
    (header) => createMemorySink(header, ({ bytes }) => void (got = wholeOf(bytes))),
    options,
  )
  if (got === undefined) throw new Error('resolved without a body')
  return got
}

/** A receipt as hosts in memory give it. */
export const memoryReceipt: TransferReceipt = { durability: Durability.MEMORY, version: 0n }

/** Everything that comes, in order. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Lets everything run that can run without anything new from outside. */
export async function quiesce(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}
