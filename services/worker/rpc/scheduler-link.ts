import {
  checkHello,
  type LinkRequest,
  type LinkResponse,
  type SchedulerServiceDefinition,
  type WorkerHello,
} from '#libs/proto'
import { readRpcFailure, type RpcClient } from '#libs/rpc'
import { Outbox } from '#libs/transfer'

type Report = NonNullable<LinkRequest['report']>
type Command = NonNullable<LinkResponse['command']>

/** What the link tells the worker. */
export interface LinkEvents {
  /** What the worker says of itself when a link opens: its inventory as it is then. */
  hello(): WorkerHello
  opened(heartbeatIntervalMs: number): void
  closed(): void
  commanded(command: Command): void
  /** The scheduler will not have this worker: wrong secret or version. Dialling again does not help. */
  refused(error: Error): void
  /** The scheduler could not be reached for long. */
  abandoned(error: Error): void
}

/** The worker's end of its link: dials, and dials again after a cut. */
export interface SchedulerLink {
  report(report: Report): void
  close(): Promise<void>
}

const firstRetryMs = 50
const maxRetryMs = 2_000

/** The scheduler will not have this process. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

export function openSchedulerLink(
  client: RpcClient<typeof SchedulerServiceDefinition>,
  events: LinkEvents,
  options: { readonly abandonAfterMs: number; readonly jitter: () => number },
): SchedulerLink {
  let outbox = new Outbox<LinkRequest>()
  let linked = false
  let lastLinkedMs = Date.now()
  let retryMs = firstRetryMs
  const closing = new AbortController()

  let leaving = false
  // A function, because both change while the loop waits.
  const isClosing = (): boolean => leaving || closing.signal.aborted

  async function converse(): Promise<void> {
    outbox = new Outbox<LinkRequest>()
    outbox.push({ report: { $case: 'hello', value: events.hello() } })
    try {
      for await (const { command } of client.link(outbox, { signal: closing.signal })) {
        if (command?.$case === 'welcome') {
          const mismatch = checkHello(command.value.hello, 'this worker', 'the scheduler')
          if (mismatch) throw new RefusedError(mismatch)
          linked = true
          events.opened(command.value.heartbeatIntervalMs)
        } else if (command) {
          events.commanded(command)
        }
      }
    } finally {
      outbox.end()
      if (linked) {
        lastLinkedMs = Date.now()
        retryMs = firstRetryMs
        events.closed()
      }
      linked = false
    }
  }

  async function keep(): Promise<void> {
    while (!isClosing()) {
      let error: unknown = new Error('the scheduler ended the link')
      try {
        await converse()
      } catch (caught) {
        error = caught
      }
      if (isClosing()) return
      const refusal = refusalOf(error)
      if (refusal) {
        events.refused(refusal)
        return
      }
      if (Date.now() - lastLinkedMs > options.abandonAfterMs) {
        events.abandoned(error as Error)
        return
      }
      await pause(retryMs * (0.5 + options.jitter()), closing.signal)
      retryMs = Math.min(maxRetryMs, retryMs * 2)
    }
  }

  const kept = keep()
  return {
    report: (report) => {
      if (linked) outbox.push({ report })
    },
    close: async () => {
      // What was said last still goes out: the scheduler ends the stream when it has read the goodbye.
      leaving = true
      outbox.end()
      await Promise.race([kept, pause(500, closing.signal)])
      closing.abort()
      await kept
    },
  }
}

function refusalOf(error: unknown): RefusedError | undefined {
  if (error instanceof RefusedError) return error
  const { code, reason, message } = readRpcFailure(error)
  const final = code === 'UNAUTHENTICATED' || code === 'PERMISSION_DENIED' || reason === 'PROTOCOL_MISMATCH'
  return final ? new RefusedError(`the scheduler refused this worker: ${message}`) : undefined
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}
