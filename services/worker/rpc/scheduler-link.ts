import { checkHello, type LinkRequest, type LinkResponse, type SchedulerServiceDefinition } from '#libs/proto'
import { readRpcFailure, type RpcClient } from '#libs/rpc'
import { Outbox } from '#libs/transfer'

type Report = NonNullable<LinkRequest['report']>
type Command = NonNullable<LinkResponse['command']>

/** What the link tells the worker. */
export interface LinkEvents {
  /** What the worker says of itself when a link opens: who it is, and its inventory as it is then. */
  greeting(): readonly LinkRequest[]
  opened(heartbeatIntervalMs: number): void
  closed(): void
  /** The link broke, or could not be opened; it is dialled again. */
  broke(error: Error): void
  commanded(command: Command): void
  /** The scheduler will not have this worker: wrong secret or version. Dialling again does not help. */
  refused(error: Error): void
  /** The scheduler could not be reached for long. */
  abandoned(error: Error): void
}

/** The worker's end of its link: dials, and dials again after a cut. */
export interface SchedulerLink {
  /** Since when there is no link; nothing while there is one. */
  readonly unlinkedSinceMs: number | undefined
  /** Says it, or returns false while there is no link: what must not be lost is in the next greeting. */
  report(report: Report): boolean
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
    for (const report of events.greeting()) outbox.push(report)
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
      events.broke(explain(error))
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
    get unlinkedSinceMs() {
      return linked ? undefined : lastLinkedMs
    },
    report: (report) => {
      if (linked) outbox.push({ report })
      return linked
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

/** How the link broke, for people. */
function explain(error: unknown): Error {
  const { code, message } = readRpcFailure(error)
  if (code !== 'RESOURCE_EXHAUSTED') return error as Error
  const explained = `a message on the link was longer than an end of it takes (16 MiB), or an end has no memory left: ${message}`
  return new Error(explained, { cause: error })
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
