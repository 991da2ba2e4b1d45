import { Status } from 'nice-grpc-common'

import {
  checkHello,
  makeHello,
  TransferDirection,
  type TransferFrame,
  type TransferOpen,
  type TransferReceipt,
  type TransferSource,
} from '#libs/proto'

import type { Source } from './endpoint.js'
import type { FrameMessage } from './frame-codec.js'
import { Gate } from './gate.js'
import { maxOpenTransfers, outboxLimit } from './limits.js'
import { Outbox } from './outbox.js'
import type { ByteRange } from './range-source.js'
import { Receiving } from './receiving.js'
import type { OpenSink, PutPoint, ResumePoint } from './resume.js'
import { Sending } from './sending.js'
import { leaveUnread, SharedMemory } from './shared-memory.js'
import { nameOf } from './target-name.js'
import { abortOf, brokenStreamError, TransferError } from './transfer-error.js'
import { SentWhole, wholeBodyOf } from './whole-put.js'

/** What a transfer moves. */
export type TransferTarget = NonNullable<TransferOpen['target']>

/** Opens the bulk RPC. */
export type TransferDialler = (
  requests: AsyncIterable<FrameMessage>,
  options: { signal: AbortSignal },
) => AsyncIterable<FrameMessage>

/** Ids are 32 bits on the wire and come round again; 128 open transfers of one stream are never that far apart. */
const maxTransferId = 2 ** 32 - 1

/** What every transfer may be given. */
export interface TransferOptions {
  readonly signal?: AbortSignal | undefined
  /** The trace that the other end's work hangs under: W3C traceparent, tracestate and baggage. */
  readonly trace?: Readonly<Record<string, string>> | undefined
}

/** What a get may be given. */
export interface GetOptions extends TransferOptions {
  /** Wait for a body that is not there yet, and take it as it arrives. */
  readonly awaits?: boolean | undefined
  /** Only this part of the body, in bytes: it is a body of its own. */
  readonly range?: ByteRange | undefined
  /** Where an earlier get of the same body lost its stream. */
  readonly resume?: ResumePoint
}

/** What a put may be given. */
export interface PutOptions extends TransferOptions {
  /** The same for every time that the body is put. */
  readonly requestId: string
  readonly sessionId?: string
  /** For whom a blob is kept. */
  readonly claimant?: string
  /** Hears how far the put has come, and says how far an earlier one had. */
  readonly resume?: PutPoint
}

/** The dialling half of a bulk stream: gets and puts, many at a time. When it breaks, all of them fail with UNAVAILABLE. */
export class TransferStream {
  readonly #outbox = new Outbox<FrameMessage>(outboxLimit)
  readonly #shared = new SharedMemory((frame) => this.#say(0, frame))
  readonly #transfers = new Map<number, Sending | Receiving | SentWhole>()
  readonly #gate = new Gate(maxOpenTransfers)
  readonly #abort = new AbortController()
  readonly #peer: string
  #nextTransferId = 1
  #broken: TransferError | undefined
  #takesWholePuts = false

  /** `peer` names the other end, for messages. */
  constructor(dial: TransferDialler, peer: string) {
    this.#peer = peer
    this.#outbox.push({ frame: { transferId: 0, frame: { $case: 'hello', value: makeHello() } } })
    this.#listen(dial).then(
      () => this.#break(new Error(`${peer} ended the stream`)),
      (error: unknown) => this.#break(error as Error),
    )
  }

  /** Whether the stream is gone; a new one is needed. */
  get broken(): boolean {
    return this.#broken !== undefined
  }

  /**
   * Gets a body into the sink that `open` makes when the header is there. With `resume`, only what has not come yet.
   *
   * @throws TransferError as the other end or the checks gave it up.
   */
  async get(target: TransferTarget, open: OpenSink, options: GetOptions = {}): Promise<void> {
    const { resume, range, awaits = false } = options
    const offset = BigInt(resume?.position ?? 0)
    const part = range && { range: { start: BigInt(range.start), byteLength: BigInt(range.byteLength) } }
    const request = { ...describe(target, TransferDirection.GET, options), offset, awaits, ...part }
    const name = nameOf(request)
    await this.#run(
      request,
      options.signal,
      (transferId) => new Receiving(transferId, name, this.#outbox, this.#shared),
      (receiving) => receiving.receive(open, resume),
    )
  }

  /**
   * Puts a body. Resolves when the other end has stored it. The source is closed in any case.
   *
   * @throws TransferError as the other end gave it up, and whatever the source throws.
   */
  async put(target: TransferTarget, source: Source, options: PutOptions): Promise<TransferReceipt> {
    const { resume } = options
    const resumes = resume?.isHeard ?? false
    const request = { ...describe(target, TransferDirection.PUT, options), resumes }
    const whole = this.#takesWholePuts && !resumes ? wholeBodyOf(source) : undefined
    if (whole) return await this.#putWhole({ ...request, whole }, source, options)
    const name = nameOf(request)
    const unopened = new Set([source])
    const open = (): Source => {
      unopened.delete(source)
      return source
    }
    try {
      const receipt = await this.#run(
        request,
        options.signal,
        (transferId) => new Sending(transferId, name, this.#outbox, this.#shared, resume),
        (sending) => sending.send(open, resumes ? 'asWanted' : 0),
      )
      if (receipt === undefined) throw new TransferError(Status.INTERNAL, 'NO_RECEIPT', `${name}: no receipt came`)
      return receipt
    } finally {
      for (const left of unopened) left.close?.()
    }
  }

  /**
   * Has the other end get a body by itself, from the first of the sources that delivers it. Resolves when it is stored there.
   *
   * @throws TransferError as the other end gave it up: UNAVAILABLE with the reason NO_SOURCE when no source delivered it.
   */
  async fetch(
    target: TransferTarget,
    sources: readonly TransferSource[],
    options: PutOptions,
  ): Promise<TransferReceipt> {
    const request = { ...describe(target, TransferDirection.FETCH, options), sources: [...sources] }
    return await this.#run(
      request,
      options.signal,
      () => new SentWhole(),
      (sent) => sent.receipt(),
    )
  }

  /** Ends the stream; what is under way fails. */
  close(): void {
    this.#break(new Error('closed here'))
    this.#abort.abort()
  }

  async #putWhole(request: TransferOpen, source: Source, { signal }: PutOptions): Promise<TransferReceipt> {
    try {
      return await this.#run(
        request,
        signal,
        () => new SentWhole(),
        (sent) => sent.receipt(),
      )
    } finally {
      source.close?.()
    }
  }

  async #run<Transfer extends Sending | Receiving | SentWhole, Answer>(
    request: TransferOpen,
    signal: AbortSignal | undefined,
    create: (transferId: number) => Transfer,
    work: (transfer: Transfer) => Promise<Answer>,
  ): Promise<Answer> {
    const cancelled = (): TransferError =>
      new TransferError(Status.CANCELLED, 'CANCELLED', `${nameOf(request)}: cancelled here`)
    await this.#gate.enter(signal).catch(() => {
      throw cancelled()
    })
    const transferId = this.#nextTransferId
    this.#nextTransferId = transferId === maxTransferId ? 1 : transferId + 1
    const transfer = create(transferId)
    const cancel = (): void => transfer.fail(cancelled())
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      if (this.#broken) throw this.#broken
      this.#transfers.set(transferId, transfer)
      this.#say(transferId, { $case: 'open', value: request })
      return await work(transfer)
    } catch (error) {
      if (!transfer.peerGaveUp) this.#say(transferId, { $case: 'abort', value: abortOf(error) })
      throw error
    } finally {
      signal?.removeEventListener('abort', cancel)
      this.#transfers.delete(transferId)
      this.#gate.leave()
    }
  }

  async #listen(dial: TransferDialler): Promise<void> {
    for await (const { frame } of dial(this.#outbox, { signal: this.#abort.signal })) {
      const what = frame?.frame
      if (frame === undefined || what === undefined) continue
      if (what.$case === 'hello') {
        const mismatch = checkHello(what.value, 'this end', this.#peer)
        if (mismatch) throw new TransferError(Status.FAILED_PRECONDITION, 'PROTOCOL_MISMATCH', mismatch)
        this.#takesWholePuts = what.value.takesWholePuts ?? false
      } else {
        const transfer = this.#transfers.get(frame.transferId)
        if (transfer) transfer.take(what)
        else if (what.$case === 'chunk') leaveUnread(this.#shared, what.value)
        else this.#shared.take(what)
      }
    }
  }

  #say(transferId: number, frame: NonNullable<TransferFrame['frame']>): void {
    this.#outbox.push({ frame: { transferId, frame } })
  }

  #break(cause: Error): void {
    if (this.#broken) return
    this.#broken = brokenStreamError(this.#peer, cause)
    this.#outbox.end()
    for (const transfer of this.#transfers.values()) transfer.fail(this.#broken)
    this.#shared.close()
  }
}

function describe(
  target: TransferTarget,
  direction: TransferDirection,
  options: TransferOptions & Partial<Pick<PutOptions, 'requestId' | 'sessionId' | 'claimant'>>,
): TransferOpen {
  const { requestId = '', sessionId = '', claimant, trace = {} } = options
  const where = { offset: 0n, resumes: false, awaits: false, sources: [] }
  const whose = { requestId, sessionId, ...(claimant === undefined ? {} : { claimant }) }
  return { direction, target, ...whose, ...where, trace: new Map(Object.entries(trace)) }
}
