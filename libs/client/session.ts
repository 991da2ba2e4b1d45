import { randomUUID } from 'node:crypto'

import {
  checkHello,
  Durability,
  type JobSpec,
  makeHello,
  type SchedulerServiceDefinition,
  type SessionRequest,
  type SessionResponse,
  type TaskSpec,
} from '#libs/proto'
import { readRpcFailure, type RpcClient } from '#libs/rpc'
import { Outbox } from '#libs/transfer'

import { MeshError } from './task-error.js'
import { Status } from 'nice-grpc-common'

type Message = NonNullable<SessionResponse['message']>

/** What the session tells the cluster. */
export interface SessionEvents {
  said(message: Message): void
  /** The session is up again after a cut: jobs that are not settled must be followed again. */
  resumed(): void
  /** The scheduler is gone for good, or will not have this client. */
  lost(error: MeshError): void
}

/** Tasks of a large job go in parts of this many. */
const tasksPerPart = 2_000
const firstRetryMs = 50
const maxRetryMs = 1_000

interface Pending {
  readonly resolve: (durability: 'memory' | 'fsynced') => void
  readonly reject: (error: Error) => void
  readonly parts: readonly SessionRequest[]
}

/** The client's stream to the scheduler. Taken up again after a cut; what was not acknowledged is said again. */
export class ClientSession {
  readonly id = randomUUID()
  readonly #client: RpcClient<typeof SchedulerServiceDefinition>
  readonly #events: SessionEvents
  readonly #clientName: string
  readonly #giveUpAfterMs: number
  readonly #closing = new AbortController()
  readonly #pending = new Map<string, Pending>()
  #outbox = new Outbox<SessionRequest>()
  #open = false
  #heartbeat: NodeJS.Timeout | undefined
  readonly opened: Promise<void>
  #settleOpened!: { resolve: () => void; reject: (error: Error) => void }

  constructor(
    client: RpcClient<typeof SchedulerServiceDefinition>,
    events: SessionEvents,
    options: { readonly clientName: string; readonly giveUpAfterMs: number },
  ) {
    this.#client = client
    this.#events = events
    this.#clientName = options.clientName
    this.#giveUpAfterMs = options.giveUpAfterMs
    this.opened = new Promise((resolve, reject) => (this.#settleOpened = { resolve, reject }))
    this.opened.catch(() => undefined)
    void this.#keep()
  }

  /** Submits a job; resolves when it is recorded. */
  submit(job: JobSpec): Promise<'memory' | 'fsynced'> {
    const requestId = randomUUID()
    const parts = [...partsOf(requestId, job)]
    const submitted = new Promise<'memory' | 'fsynced'>((resolve, reject) => {
      this.#pending.set(requestId, { resolve, reject, parts })
    })
    if (this.#open) for (const part of parts) this.#outbox.push(part)
    return submitted
  }

  say(message: NonNullable<SessionRequest['message']>): void {
    if (this.#open) this.#outbox.push({ message })
  }

  close(): void {
    this.#closing.abort()
    clearInterval(this.#heartbeat)
    this.#outbox.end()
    const error = new MeshError('CANCELLED', 'CLIENT_CLOSED', 'the cluster was closed by this program')
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }

  async #keep(): Promise<void> {
    let retryMs = firstRetryMs
    let lastOpenMs = Date.now()
    while (!this.#isClosing()) {
      const error = await this.#converse().then(
        () => new Error('the scheduler ended the session'),
        (caught: unknown) => caught,
      )
      if (this.#isClosing()) return
      if (this.#open) {
        lastOpenMs = Date.now()
        retryMs = firstRetryMs
      }
      this.#open = false
      clearInterval(this.#heartbeat)
      const { code, reason, message } = readRpcFailure(error)
      const final = ['UNAUTHENTICATED', 'PERMISSION_DENIED', 'FAILED_PRECONDITION', 'INVALID_ARGUMENT', 'UNIMPLEMENTED']
      if (final.includes(code) || error instanceof MeshError || Date.now() - lastOpenMs > this.#giveUpAfterMs) {
        this.#lose(error instanceof MeshError ? error : new MeshError(code, reason ?? 'SCHEDULER_UNREACHABLE', message))
        return
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs))
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
    for (const { parts } of this.#pending.values()) for (const part of parts) this.#outbox.push(part)
    this.#settleOpened.resolve()
    this.#events.resumed()
  }

  #hear(message: Message): void {
    if (message.$case === 'submitted') {
      const { requestId, receipt } = message.value
      const pending = this.#pending.get(requestId)
      this.#pending.delete(requestId)
      pending?.resolve(receipt?.durability === Durability.FSYNCED ? 'fsynced' : 'memory')
    } else if (message.$case === 'refused' && this.#pending.has(message.value.requestId)) {
      const { requestId, code, reason, message: text } = message.value
      const pending = this.#pending.get(requestId)
      this.#pending.delete(requestId)
      pending?.reject(new MeshError(Status[code] ?? 'UNKNOWN', reason, text))
    } else {
      this.#events.said(message)
    }
  }

  #lose(error: MeshError): void {
    this.#settleOpened.reject(error)
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
    this.#events.lost(error)
  }
}

function* partsOf(requestId: string, job: JobSpec): Generator<SessionRequest> {
  const { tasks, ...rest } = job
  for (let start = 0; start === 0 || start < tasks.length; start += tasksPerPart) {
    const part: TaskSpec[] = tasks.slice(start, start + tasksPerPart)
    const more = start + tasksPerPart < tasks.length
    const wire: JobSpec = start === 0 ? { ...rest, tasks: part } : { ...emptyJob, jobId: rest.jobId, tasks: part }
    yield { message: { $case: 'submit', value: { requestId, job: wire, more } } }
  }
}

const emptyJob: Omit<JobSpec, 'jobId' | 'tasks'> = {
  name: '',
  functions: [],
  seed: 0n,
  trace: new Map(),
  detached: false,
}
