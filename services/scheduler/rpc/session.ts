import { type JobId, type ObjectId, parseTaskId, type SessionId } from '#libs/domain'
import {
  checkHello,
  type Durability,
  makeHello,
  type SchedulerServiceImplementation,
  type SessionHello,
  type SessionRequest,
  type SessionResponse,
  type SessionSubmit,
} from '#libs/proto'
import { readRequestId, readRpcFailure, type RpcCallContext, rpcError } from '#libs/rpc'

import { unknownJob } from '../core/effect.js'
import type { Outlet } from '../effects/outlet.js'
import type { Peers } from '../effects/peers.js'
import type { Answer, Loop, UntimedQuestion } from '../loop.js'
import { levelOf } from './level.js'
import { listen } from './listen.js'
import { receiptOf } from './receipt.js'
import { accept, refusedToWire } from './refusal.js'
import { OpenSubmits, type WholeJob } from './open-submits.js'

const heartbeatIntervalMs = 10_000

type Message = NonNullable<SessionRequest['message']>

/** A client's session: jobs in, settles, progress and logs out. */
export function createSessionMethod(
  loop: Loop,
  peers: Peers,
  mesh: { readonly name: string; readonly durability: Durability },
): SchedulerServiceImplementation['session'] {
  return async function* (requests, context) {
    const { signal } = context
    const messages = requests[Symbol.asyncIterator]()
    const sessionId = await greet(messages)
    const outlet = peers.openSession(sessionId)
    const welcome = { hello: makeHello(), epoch: BigInt(loop.state.epoch), heartbeatIntervalMs, meshName: mesh.name }
    outlet.push({ message: { $case: 'welcome', value: welcome } })
    loop.post({ kind: 'sessionOpened', sessionId })
    const isWorker = (context as RpcCallContext).role === 'worker'
    const conversation = new Conversation(loop, outlet, sessionId, { isWorker, durability: mesh.durability })
    const close = (): void => {
      if (peers.closeSession(sessionId, outlet)) loop.post({ kind: 'sessionClosed', sessionId })
    }
    outlet.whenSlow(close)
    const stop = (): void => outlet.end()
    signal.addEventListener('abort', stop)
    const hear = ({ message }: SessionRequest): void => {
      if (message) conversation.take(message)
    }
    listen(messages, hear, outlet)
    try {
      yield* outlet
    } finally {
      signal.removeEventListener('abort', stop)
      close()
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
  return readRequestId(hello.sessionId, 'session_id') as SessionId
}

class Conversation {
  readonly #loop: Loop
  readonly #outlet: Outlet<SessionResponse>
  readonly #sessionId: SessionId
  readonly #durability: Durability
  /** It speaks for its tasks: of jobs that tasks submitted, and of no others. */
  readonly #isWorker: boolean
  readonly #submits: OpenSubmits

  constructor(
    loop: Loop,
    outlet: Outlet<SessionResponse>,
    sessionId: SessionId,
    { isWorker, durability }: { readonly isWorker: boolean; readonly durability: Durability },
  ) {
    this.#loop = loop
    this.#outlet = outlet
    this.#sessionId = sessionId
    this.#durability = durability
    this.#isWorker = isWorker
    this.#submits = new OpenSubmits(loop.state)
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
        void this.#answer(jobId, () => this.#ask(event))
        return
      }
      case 'release': {
        const objectIds = message.value.objectIds as ObjectId[]
        const own = this.#isWorker ? objectIds.filter((id) => this.#isChild(parseTaskId(id)?.jobId)) : objectIds
        this.#loop.post({ kind: 'objectsReleased', objectIds: own })
        return
      }
      case 'follow': {
        const event = { kind: 'jobFollowed', sessionId: this.#sessionId, jobId: message.value.jobId as JobId } as const
        void this.#answer(event.jobId, () => this.#ask(event))
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
      const value = refusedToWire(requestId, readRpcFailure(error))
      this.#outlet.push({ message: { $case: 'refused', value } })
    }
  }

  #submit(submit: SessionSubmit): Promise<undefined> | undefined {
    const whole = this.#submits.take(submit)
    return whole && this.#record(submit.requestId, whole, submit.durability)
  }

  /** A worker is told of jobs that it may not speak of as of those that nobody knows. */
  #ask(event: Extract<UntimedQuestion, { kind: 'cancelRequested' | 'jobFollowed' }>): Promise<Answer> {
    if (this.#isWorker && !this.#isChild(event.jobId)) accept({ refusal: unknownJob(event.jobId) })
    return this.#loop.ask(event)
  }

  #isChild(jobId: JobId | undefined): boolean {
    return jobId !== undefined && this.#loop.state.jobs.get(jobId)?.spec.parent !== undefined
  }

  async #record(requestId: string, { job, parent }: WholeJob, wanted: Durability | undefined): Promise<undefined> {
    if (this.#isWorker !== (parent !== undefined)) throw wrongParent(this.#isWorker)
    const id = readRequestId(requestId)
    const level = levelOf(wanted, this.#durability)
    const byTask = parent && { parent }
    const event = { kind: 'jobSubmitted', requestId: id, sessionId: this.#sessionId, job, ...byTask } as const
    const { jobId } = accept(await this.#loop.ask(event, level))
    const receipt = receiptOf(this.#loop.state, job, jobId ?? job.jobId, level.durability)
    this.#outlet.push({ message: { $case: 'submitted', value: { requestId, receipt } } })
  }
}

function wrongParent(isWorker: boolean) {
  return isWorker
    ? rpcError(
        'PERMISSION_DENIED',
        'NO_PARENT',
        'a worker submits jobs of its tasks only: job.parent names the attempt',
      )
    : rpcError('PERMISSION_DENIED', 'PARENT_NOT_ALLOWED', 'only a worker submits jobs of tasks: leave job.parent out')
}
