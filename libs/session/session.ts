import { randomUUID } from 'node:crypto'

import { Status } from 'nice-grpc-common'

import {
  checkHello,
  type Durability,
  type JobSpec,
  makeHello,
  type SchedulerServiceDefinition,
  type SessionRefused,
  type SessionRequest,
  type SessionResponse,
} from '#libs/proto'
import { readRpcFailure, type RpcClient, type RpcFailure } from '#libs/rpc'
import { durabilityFromWire } from '#libs/submission'
import { type DurabilityLevel, MeshError } from '#libs/task'
import { Outbox } from '#libs/transfer'

import { partsOf, type Submit } from './submit-parts.js'

type Message = NonNullable<SessionResponse['message']>

/** What the session tells the cluster. */
export interface SessionEvents {
  said(message: Message): void
  /** The session is up again after a cut: jobs that are not settled must be followed again. */
  resumed(): void
  /** The scheduler is gone for good, or will not have this client. */
  lost(error: MeshError): void
}

const firstRetryMs = 50
const maxRetryMs = 1_000
/**
 * A scheduler that was there may be away for so long: it starts again, perhaps more than once, and knows every job. Workers
 * wait as long for it, and it waits as long for a client.
 */
const giveUpAfterMs = 60_000

/** The most names in one message, which has at most 16 MiB. */
const namesPerMessage = 50_000

/** How a job is submitted. */
export interface SubmitLevel {
  /** How safe it must be before the answer. */
  readonly durability?: Durability | undefined
  /** A submit that is said again has the same one. */
  readonly requestId?: string
}

interface Pending {
  readonly resolve: (durability: DurabilityLevel) => void
  readonly reject: (error: Error) => void
  readonly submit: Submit
}

/** The client's stream to the scheduler. Taken up again after a cut; what was not acknowledged is said again. */
export class ClientSession {
  readonly id = randomUUID()
  readonly #client: RpcClient<typeof SchedulerServiceDefinition>
  readonly #events: SessionEvents
  readonly #clientName: string
  readonly #openWithinMs: number
  readonly #closing = new AbortController()
  readonly #pending = new Map<string, Pending>()
  /** Results that the program gave up in this turn. */
  #released: string[] = []
  /** What must not be lost because the scheduler was away. */
  #untold: NonNullable<SessionRequest['message']>[] = []
  #outbox = new Outbox<SessionRequest>()
  #open = false
  #heartbeat: NodeJS.Timeout | undefined
  readonly opened: Promise<void>
  #settleOpened!: { resolve: () => void; reject: (error: Error) => void }

  constructor(
    client: RpcClient<typeof SchedulerServiceDefinition>,
    events: SessionEvents,
    options: { readonly clientName: string; readonly openWithinMs: number },
  ) {
    this.#client = client
    this.#events = events
    this.#clientName = options.clientName
    this.#openWithinMs = options.openWithinMs
    this.opened = new Promise((resolve, reject) => (this.#settleOpened = { resolve, reject }))
    this.opened.catch(() => undefined)
    void this.#keep()
  }

  /**
   * Submits a job, once per request id; resolves when it is as safe as it must be, with how safe it is. Until then the tasks must stay
   * as they are: they are read when their part is sent, again after a cut.
   */
  submit(job: JobSpec, { durability, requestId = randomUUID() }: SubmitLevel = {}): Promise<DurabilityLevel> {
    const submit = { requestId, job, durability }
    const submitted = new Promise<DurabilityLevel>((resolve, reject) => {
      this.#pending.set(requestId, { resolve, reject, submit })
    })
    if (this.#open) this.#outbox.pushInTurns(partsOf(submit))
    return submitted
  }

  /** Says something that is of no use when the scheduler is away. */
  say(message: NonNullable<SessionRequest['message']>): void {
    if (this.#open) this.#outbox.push({ message })
  }

  /** Says something; while the scheduler is away it is kept, and said when that is back. */
  tell(message: NonNullable<SessionRequest['message']>): void {
    if (this.#open) this.#outbox.push({ message })
    else this.#untold.push(message)
  }

  /** Gives up results. Told once per turn, however many calls there are. */
  release(objectIds: Iterable<string>): void {
    if (this.#released.length === 0) setImmediate(() => this.#tellReleased())
    for (const objectId of objectIds) this.#released.push(objectId)
  }

  #tellReleased(): void {
    const objectIds = this.#released
    this.#released = []
    for (let start = 0; start < objectIds.length; start += namesPerMessage) {
      this.tell({ $case: 'release', value: { objectIds: objectIds.slice(start, start + namesPerMessage) } })
    }
  }

  close(): void {
    this.#closing.abort()
    clearInterval(this.#heartbeat)
    this.#outbox.end()
    this.#rejectPending(new MeshError('CANCELLED', 'CLIENT_CLOSED', 'the cluster was closed by this program'))
  }

  async #keep(): Promise<void> {
    let retryMs = firstRetryMs
    let lastOpenMs = Date.now()
    let mostAwayMs = this.#openWithinMs
    while (!this.#isClosing()) {
      const error = await this.#converse().then(
        () => new Error('the scheduler ended the session'),
        (caught: unknown) => caught,
      )
      if (this.#isClosing()) return
      if (this.#open) {
        lastOpenMs = Date.now()
        mostAwayMs = giveUpAfterMs
        retryMs = firstRetryMs
      }
      this.#open = false
      clearInterval(this.#heartbeat)
      const failure = readRpcFailure(error)
      const known =
        error instanceof MeshError
          ? error
          : new MeshError(failure.code, failure.reason ?? 'SCHEDULER_UNREACHABLE', failure.message, failure)
      // What broke the stream may be a submit, which would break the next one too. The other jobs' futures live on.
      if (isTooMuch(failure) && this.#rejectPending(known)) continue
      if (isFinal(failure) || error instanceof MeshError || Date.now() - lastOpenMs > mostAwayMs) {
        this.#lose(known)
        return
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(retryMs, failure.retryDelayMs ?? 0)))
      retryMs = Math.min(maxRetryMs, retryMs * 2)
    }
  }

  /** A function, because the signal changes while the loop waits. */
  #isClosing(): boolean {
    return this.#closing.signal.aborted
  }

  async #converse(): Promise<void> {
    this.#outbox = new Outbox()
    const hello = { hello: makeHello(), sessionId: this.id, clientName: this.#clientName }
    this.#outbox.push({ message: { $case: 'hello', value: hello } })
    for await (const { message } of this.#client.session(this.#outbox, { signal: this.#closing.signal })) {
      if (message?.$case === 'welcome') this.#welcome(message.value)
      else if (message) this.#hear(message)
    }
  }

  #welcome(welcome: Extract<Message, { $case: 'welcome' }>['value']): void {
    const mismatch = checkHello(welcome.hello, 'this client', 'the scheduler')
    if (mismatch) throw new MeshError('FAILED_PRECONDITION', 'PROTOCOL_MISMATCH', mismatch)
    this.#open = true
    this.#heartbeat = setInterval(() => this.say({ $case: 'heartbeat', value: {} }), welcome.heartbeatIntervalMs)
    this.#heartbeat.unref()
    for (const { submit } of this.#pending.values()) this.#outbox.pushInTurns(partsOf(submit))
    for (const message of this.#untold.splice(0)) this.#outbox.push({ message })
    this.#settleOpened.resolve()
    this.#events.resumed()
  }

  #hear(message: Message): void {
    if (message.$case === 'submitted') {
      const { requestId, receipt } = message.value
      const pending = this.#pending.get(requestId)
      this.#pending.delete(requestId)
      pending?.resolve(durabilityFromWire(receipt?.durability))
    } else if (message.$case === 'refused' && this.#pending.has(message.value.requestId)) {
      const { requestId } = message.value
      const pending = this.#pending.get(requestId)
      this.#pending.delete(requestId)
      pending?.reject(errorOfRefusal(message.value))
    } else {
      this.#events.said(message)
    }
  }

  #lose(error: MeshError): void {
    this.#settleOpened.reject(error)
    this.#rejectPending(error)
    this.#events.lost(error)
  }

  /** Gives up the submits that were not acknowledged; says whether there were any. */
  #rejectPending(error: MeshError): boolean {
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of pending) reject(error)
    return pending.length > 0
  }
}

/** A refusal on the session, as the error that users see. */
export function errorOfRefusal(refusal: SessionRefused): MeshError {
  const { code, reason, message, metadata, retryDelay, fieldViolations } = refusal
  return new MeshError(Status[code] ?? 'UNKNOWN', reason, message, {
    metadata: Object.fromEntries(metadata),
    fieldViolations,
    retryDelayMs: retryDelay && Number(retryDelay.seconds) * 1_000 + retryDelay.nanos / 1e6,
  })
}

const finalCodes: ReadonlySet<string> = new Set([
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'FAILED_PRECONDITION',
  'INVALID_ARGUMENT',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
])

/** Whether saying the same again can only end the same. */
function isFinal(failure: RpcFailure): boolean {
  return finalCodes.has(failure.code) || isTooMuch(failure)
}

/** Something was larger than either end takes. What is full for now says when to come back. */
function isTooMuch({ code, retryDelayMs }: RpcFailure): boolean {
  return code === 'RESOURCE_EXHAUSTED' && retryDelayMs === undefined
}
