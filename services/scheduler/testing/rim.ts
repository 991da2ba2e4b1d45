import type { SessionId } from '#libs/domain'
import { createMemoryJournal } from '#libs/journal'
import {
  Durability,
  type LinkRequest,
  type LinkResponse,
  makeHello,
  type SessionRequest,
  type SessionResponse,
  WorkerHello,
} from '#libs/proto'
import { Outbox } from '#libs/transfer'

import type { Fact } from '../core/fact.js'
import { defaultPolicy, type Policy } from '../core/policy.js'
import { createState } from '../core/state.js'
import { createJobWaiters } from '../effects/job-waiters.js'
import { createPeers } from '../effects/peers.js'
import { createPerform } from '../effects/perform.js'
import { createTaskTracer } from '../effects/task-tracer.js'
import { tellDemand } from '../effects/tell-demand.js'
import { startLoop } from '../loop.js'
import { createSchedulerService } from '../rpc/scheduler-service.js'

type Said = NonNullable<SessionRequest['message']>
type Told = NonNullable<SessionResponse['message']>
type Report = NonNullable<LinkRequest['report']>
type Command = NonNullable<LinkResponse['command']>

/** One end of an open stream, as its client or worker has it. */
export interface Peer<Out, In> {
  say(message: Out): void
  /** What came since the last call. */
  heard(): In[]
  /** Says no more. */
  close(): void
  /** The stream breaks. */
  cut(): void
  /** The other end has closed. */
  readonly ended: Promise<void>
}

/** Everything of a scheduler but its sockets: streams are opened by calling the methods as the server would. */
export async function startRim(policy: Partial<Policy> = {}) {
  const state = createState({ ...defaultPolicy, ...policy })
  const time = { nowMs: 1_000_000 }
  const clock = { nowMs: () => time.nowMs }
  const peers = createPeers(clock)
  const waiters = createJobWaiters()
  const loop = await startLoop({
    state,
    journal: createMemoryJournal<Fact>(),
    clock,
    perform: createPerform(state, peers, waiters, createTaskTracer(clock)),
    onChange: () => tellDemand(state, peers.demandWatchers),
    onFatal: (error) => {
      throw error
    },
  })
  const service = createSchedulerService(loop, peers, waiters, { name: 'test', durability: Durability.MEMORY })

  function openSession(sessionId: string): Peer<Said, Told> {
    const peer = converse<SessionRequest, Said, Told>(
      (requests, context) => service.session(requests, context as never),
      (message) => ({ message }),
      (response) => (response as SessionResponse).message,
    )
    peer.say({ $case: 'hello', value: { hello: makeHello(), sessionId, clientName: 'test' } })
    return peer
  }

  /** A client that says what it likes, but takes no more than the welcome until it is told to read. */
  function openStuckSession(sessionId: string): { say(message: Said): void; read(): Promise<unknown> } {
    const outbox = new Outbox<SessionRequest>()
    const context = { signal: new AbortController().signal } as never
    const told = service.session(outbox, context)[Symbol.asyncIterator]()
    const say = (message: Said): void => outbox.push({ message })
    say({ $case: 'hello', value: { hello: makeHello(), sessionId, clientName: 'stuck' } })
    void told.next()
    return { say, read: async () => await told.next() }
  }

  function openLink(hello: Partial<WorkerHello> & { readonly workerId: string }): Peer<Report, Command> {
    const peer = converse<LinkRequest, Report, Command>(
      (requests, context) => service.link(requests, context as never),
      (report) => ({ report }),
      (response) => (response as LinkResponse).command,
    )
    const whole = { ...WorkerHello.fromPartial({}), hello: makeHello(), slots: 1, addresses: ['host:1'], ...hello }
    peer.say({ $case: 'hello', value: whole })
    return peer
  }

  return { loop, state, peers, service, openSession, openStuckSession, openLink, quiet, time }
}

export type Rim = Awaited<ReturnType<typeof startRim>>

/** Everything that can go on by itself has gone on. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve))
}

export function sessionIdOf(number: number): SessionId {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}` as SessionId
}

function converse<Request, Out, In>(
  method: (requests: AsyncIterable<Request>, context: { readonly signal: AbortSignal }) => AsyncIterable<unknown>,
  wrap: (message: Out) => Request,
  unwrap: (response: unknown) => In | undefined,
): Peer<Out, In> {
  const outbox = new Outbox<Request>()
  const aborting = new AbortController()
  let heard: In[] = []
  const listen = async (): Promise<void> => {
    for await (const response of method(outbox, { signal: aborting.signal })) {
      const message = unwrap(response)
      if (message !== undefined) heard.push(message)
    }
  }
  const ended = listen()
  ended.catch(() => undefined)
  return {
    say: (message) => outbox.push(wrap(message)),
    heard: () => {
      const messages = heard
      heard = []
      return messages
    },
    close: () => outbox.end(),
    cut: () => {
      outbox.end()
      aborting.abort()
    },
    ended,
  }
}
