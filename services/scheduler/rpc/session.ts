import { Status } from 'nice-grpc-common'

import type { JobId, ObjectId, SessionId } from '#libs/domain'
import {
  checkHello,
  type Durability,
  type JobSpec as WireJobSpec,
  makeHello,
  type SchedulerServiceImplementation,
  type SessionHello,
  type SessionRequest,
  type SessionResponse,
  type SessionSubmit,
} from '#libs/proto'
import { readRpcFailure, rpcError } from '#libs/rpc'
import type { Outbox } from '#libs/transfer'

import type { JobSpec, TaskSpec } from '../core/state.js'
import type { Peers } from '../effects/peers.js'
import type { Answer, Loop } from '../loop.js'
import { listen } from './listen.js'
import { accept } from './refusal.js'
import { jobToDomain, maxTasksPerJob, requestIdToDomain, tasksToDomain } from './to-domain.js'

const heartbeatIntervalMs = 10_000

type Message = NonNullable<SessionRequest['message']>

/** A client's session: jobs in, settles, progress and logs out. */
export function createSessionMethod(
  loop: Loop,
  peers: Peers,
  mesh: { readonly name: string; readonly durability: Durability },
): SchedulerServiceImplementation['session'] {
  return async function* (requests, { signal }) {
    const messages = requests[Symbol.asyncIterator]()
    const sessionId = await greet(messages)
    const outbox = peers.openSession(sessionId)
    const welcome = { hello: makeHello(), epoch: BigInt(loop.state.epoch), heartbeatIntervalMs, meshName: mesh.name }
    outbox.push({ message: { $case: 'welcome', value: welcome } })
    loop.post({ kind: 'sessionOpened', sessionId })
    const conversation = new Conversation(loop, outbox, sessionId, mesh.durability)
    const stop = (): void => outbox.end()
    signal.addEventListener('abort', stop)
    const hear = ({ message }: SessionRequest): void => {
      if (message) conversation.take(message)
    }
    listen(messages, hear, outbox)
    try {
      yield* outbox
    } finally {
      signal.removeEventListener('abort', stop)
      if (peers.closeSession(sessionId, outbox)) loop.post({ kind: 'sessionClosed', sessionId })
    }
  }
}

async function greet(messages: AsyncIterator<SessionRequest>): Promise<SessionId> {
  const first = await messages.next()
  const message = first.done ? undefined : first.value.message
  if (message?.$case !== 'hello') {
    throw rpcError('INVALID_ARGUMENT', 'NO_HELLO', 'the first message of a session must be a hello')
  }
  const hello: SessionHello = message.value
  const mismatch = checkHello(hello.hello, 'the scheduler', `client ${hello.clientName}`)
  if (mismatch) throw rpcError('FAILED_PRECONDITION', 'PROTOCOL_MISMATCH', mismatch)
  return requestIdToDomain(hello.sessionId) as SessionId
}

type PartialJob = JobSpec & { readonly tasks: TaskSpec[] }

class Conversation {
  readonly #loop: Loop
  readonly #outbox: Outbox<SessionResponse>
  readonly #sessionId: SessionId
  readonly #durability: Durability
  /** Jobs that come in parts: those that came so far. */
  readonly #parts = new Map<string, PartialJob | 'refused'>()

  constructor(loop: Loop, outbox: Outbox<SessionResponse>, sessionId: SessionId, durability: Durability) {
    this.#loop = loop
    this.#outbox = outbox
    this.#sessionId = sessionId
    this.#durability = durability
  }

  take(message: Message): void {
    switch (message.$case) {
      case 'submit':
        void this.#answer(message.value.requestId, () => this.#submit(message.value))
        return
      case 'cancel': {
        const { jobId, indices } = message.value
        const which = indices.length > 0 ? { indices } : {}
        const event = {
          kind: 'cancelRequested',
          jobId: jobId as JobId,
          reason: 'its client asked for it',
          ...which,
        } as const
        void this.#answer(jobId, () => this.#loop.ask(event))
        return
      }
      case 'release':
        this.#loop.post({ kind: 'objectsReleased', objectIds: message.value.objectIds as ObjectId[] })
        return
      case 'follow': {
        const event = { kind: 'jobFollowed', sessionId: this.#sessionId, jobId: message.value.jobId as JobId } as const
        void this.#answer(event.jobId, () => this.#loop.ask(event))
        return
      }
      case 'hello':
      case 'heartbeat':
        return
      default:
        message satisfies never
    }
  }

  /** Does what was asked; a refusal is said, and the session goes on. */
  async #answer(requestId: string, ask: () => Promise<Answer | undefined> | undefined): Promise<void> {
    try {
      const answer = await ask()
      if (answer) accept(answer)
    } catch (error) {
      const { code, reason, message } = readRpcFailure(error)
      const value = { requestId, code: Status[code], reason: reason ?? '', message }
      this.#outbox.push({ message: { $case: 'refused', value } })
    }
  }

  #submit({ requestId, job: wire, more }: SessionSubmit): Promise<undefined> | undefined {
    const begun = this.#parts.get(requestId)
    if (!more) this.#parts.delete(requestId)
    // The rest of a job that was refused with an earlier part.
    if (begun === 'refused') return undefined
    // A job that lacks a part must not be taken for a whole one.
    if (more) this.#parts.set(requestId, 'refused')
    if (wire === undefined) throw rpcError('INVALID_ARGUMENT', 'NO_JOB', 'the request holds no job')
    const job = this.#collect(begun, wire)
    if (!more) return this.#record(requestId, job)
    this.#parts.set(requestId, job)
    return undefined
  }

  async #record(requestId: string, job: JobSpec): Promise<undefined> {
    const id = requestIdToDomain(requestId)
    const answer = await this.#loop.ask({ kind: 'jobSubmitted', requestId: id, sessionId: this.#sessionId, job })
    const { jobId } = accept(answer)
    const receipt = { jobId: jobId ?? job.jobId, durability: this.#durability }
    this.#outbox.push({ message: { $case: 'submitted', value: { requestId, receipt } } })
  }

  #collect(begun: PartialJob | undefined, wire: WireJobSpec): PartialJob {
    if (begun === undefined) {
      const job = jobToDomain(this.#loop.state, wire)
      return { ...job, tasks: [...job.tasks] }
    }
    if (begun.tasks.length + wire.tasks.length > maxTasksPerJob) {
      throw rpcError('INVALID_ARGUMENT', 'TOO_MANY_TASKS', `a job has at most ${maxTasksPerJob} tasks`)
    }
    for (const task of tasksToDomain(begun.jobId, wire.tasks, begun.tasks.length)) begun.tasks.push(task)
    return begun
  }
}
