import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'

import type { TaskFailure } from '#libs/domain'
import type { Bytes } from '#libs/memory'

import { failureOf } from './failure-of.js'
import { ClaimBook, type LineClaims } from './line-claims.js'
import { inMessage } from './message-bytes.js'
import { createNewsBell, type NewsBell, type Ring, ringLater, silence } from './news-bell.js'
import type { StartHost } from './slot-host.js'
import type { EndColumns } from './slot-columns.js'
import { createSlotLoans, type Loan, type SlotLoans } from './slot-loans.js'
import type { FromSlot, ToSlot } from './slot-messages.js'

/** JavaScript ends within milliseconds; a thread that lives longer is in native code. */
const endMs = 1_000
/** So long something that may wait does, unless more is said. */
const waitMs = 100

/** What a slot's thread has of its main side. */
export interface ThreadShare {
  readonly claims: LineClaims
  /** Takes all that the thread says. Nobody is woken by it: `bell` says when its parent port must be told. */
  readonly news: MessagePort
  readonly bell: NewsBell
}

/** A worker thread: starts in tens of milliseconds, and a busy loop in it can be ended. */
export function createThreadHosts(program: URL): StartHost {
  return (slot, events) => {
    let fate: TaskFailure | undefined
    let stopped = false
    const claims = new ClaimBook()
    let ending: NodeJS.Timeout | undefined
    // What this process was told to preload is not for tasks.
    const { port1: news, port2 } = new MessageChannel()
    const share: ThreadShare = { claims: claims.claims, news: port2, bell: createNewsBell() }
    const worker = new Worker(program, {
      ...{ execArgv: [], name: `slot-${slot}` },
      ...{ workerData: share, transferList: [port2] },
    })
    const memory = createSlotLoans()
    const offer = (loan: Loan): void => worker.postMessage({ kind: 'offer', loan } satisfies ToSlot)
    const hear = (message: FromSlot): void => {
      if (message.kind === 'gaveBack') memory?.takeBack(message.at)
      else if (message.kind === 'mapped') memory?.noteMapped(message.area)
      else if (message.kind === 'turn' && message.ends && memory)
        events.heard({ ...message, ends: adoptEnds(message.ends, memory, offer) })
      else events.heard(message)
    }
    let listening: NodeJS.Timeout | undefined
    const hearAll = (): void => {
      clearTimeout(listening)
      listening = undefined
      silence(share.bell)
      for (let said = receiveMessageOnPort(news); said; said = receiveMessageOnPort(news))
        hear(said.message as FromSlot)
    }
    worker.on('message', (ring: Ring) => {
      if (ring === ringLater) listening ??= setTimeout(hearAll, waitMs)
      else hearAll()
    })
    worker.on('error', (error) => (fate ??= failureOf(error)))
    worker.on('exit', (code) => {
      clearTimeout(ending)
      if (!stopped) hearAll()
      clearTimeout(listening)
      news.close()
      memory?.close()
      if (!stopped) events.ended(fate ?? exitOf(code))
    })
    return {
      claims,
      memory,
      post: (message, transfer = []) => worker.postMessage(answerOf(message), [...transfer]),
      catchUp: hearAll,
      end: () => {
        ending ??= setTimeout(() => events.stuck(), endMs)
        void worker.terminate()
      },
      stop: async () => {
        stopped = true
        clearTimeout(ending)
        await worker.terminate()
      },
    }
  }
}

/** What a task asked for may have more bytes than a message can have. */
function answerOf(message: ToSlot): ToSlot {
  if (message.kind !== 'answer') return message
  const { result } = message
  const isBody = typeof result === 'object' && result !== null && 'bytes' in result
  return isBody ? { ...message, result: inMessage(result as { readonly bytes: Bytes }) } : message
}

/** Results that lie in memory which was lent are this side's from now on. */
function adoptEnds(ends: EndColumns, memory: SlotLoans, offer: (loan: Loan) => void): EndColumns {
  if (!ends.outcomes.some((outcome) => typeof outcome !== 'number' && outcome.kind === 'body' && outcome.loan))
    return ends
  const outcomes = ends.outcomes.map((outcome) => {
    if (typeof outcome === 'number' || outcome.kind !== 'body' || outcome.loan === undefined) return outcome
    const { kind, structure, loan } = outcome
    // The next result is mostly as long.
    const next = memory.offer(loan.byteLength)
    if (next) offer(next)
    return { kind, structure, bytes: memory.adopt(loan) }
  })
  return { ...ends, outcomes }
}

function exitOf(code: number): TaskFailure {
  const message = `the task ended its thread with process.exit(${code}): return or throw instead`
  return { kind: 'userError', reason: 'TASK_EXITED', message }
}
