import type { ObjectId, SessionId, WorkerId } from '#libs/domain'
import {
  checkHello,
  makeHello,
  type LinkRequest,
  type SchedulerServiceImplementation,
  type WorkerHello,
} from '#libs/proto'
import { rpcError } from '#libs/rpc'

import type { Peers } from '../effects/peers.js'
import { relayLogs, relayProgress } from '../effects/relay.js'
import type { Loop } from '../loop.js'
import { listen } from './listen.js'
import { attemptToDomain, endToDomain, heldToDomain, profileToDomain } from './to-domain.js'

/** How often workers say that they are alive; a silence of ten of these is a loss. */
export const heartbeatIntervalMs = 3_000

type Report = NonNullable<LinkRequest['report']>

/** A worker's link: reports in, commands out. */
export function createLinkMethod(loop: Loop, peers: Peers): SchedulerServiceImplementation['link'] {
  return async function* (requests, { signal }) {
    const reports = requests[Symbol.asyncIterator]()
    const workerId = await greet(reports, loop, peers)
    const outbox = peers.links.get(workerId)
    if (outbox === undefined) return
    const end = { left: false }
    const stop = (): void => outbox.end()
    signal.addEventListener('abort', stop)
    const hear = ({ report }: LinkRequest): void => {
      if (report?.$case === 'goodbye') end.left = true
      else if (report) take(report, workerId, loop, peers)
    }
    listen(reports, hear, outbox)
    try {
      yield* outbox
    } finally {
      signal.removeEventListener('abort', stop)
      // A stream that another one replaced says nothing about the worker.
      if (peers.closeLink(workerId, outbox)) {
        loop.post(end.left ? { kind: 'workerLeft', workerId } : { kind: 'workerUnlinked', workerId })
      }
    }
  }
}

async function greet(reports: AsyncIterator<LinkRequest>, loop: Loop, peers: Peers): Promise<WorkerId> {
  const first = await reports.next()
  const report = first.done ? undefined : first.value.report
  if (report?.$case !== 'hello')
    throw rpcError('INVALID_ARGUMENT', 'NO_HELLO', 'the first report of a link must be a hello')
  const hello: WorkerHello = report.value
  const profile = profileToDomain(hello)
  const mismatch = checkHello(hello.hello, 'the scheduler', `worker ${hello.workerId}`)
  if (mismatch) throw rpcError('FAILED_PRECONDITION', 'PROTOCOL_MISMATCH', mismatch)
  const outbox = peers.openLink(profile.workerId)
  const welcome = { hello: makeHello(), epoch: BigInt(loop.state.epoch), heartbeatIntervalMs }
  outbox.push({ command: { $case: 'welcome', value: welcome } })
  loop.post({
    kind: 'workerJoined',
    profile,
    attempts: hello.attempts.flatMap((ref) => attemptToDomain(ref) ?? []),
    objects: hello.objects.map(heldToDomain),
  })
  return profile.workerId
}

function take(report: Report, workerId: WorkerId, loop: Loop, peers: Peers): void {
  switch (report.$case) {
    case 'heartbeat':
      return loop.post({ kind: 'workerHeard', workerId, rssBytes: Number(report.value.rssBytes) })
    case 'tasksStarted': {
      const attempts = report.value.tasks.flatMap(({ attempt, atMs }) => {
        const ref = attemptToDomain(attempt)
        return ref ? { ...ref, startedAtMs: atMs } : []
      })
      return loop.post({ kind: 'tasksStarted', workerId, attempts })
    }
    case 'tasksEnded':
      return loop.post({
        kind: 'tasksEnded',
        workerId,
        ends: report.value.tasks.flatMap((end) => endToDomain(end) ?? []),
      })
    case 'tasksReturned': {
      const attempts = report.value.attempts.flatMap((ref) => attemptToDomain(ref) ?? [])
      return loop.post({ kind: 'tasksReturned', workerId, attempts })
    }
    case 'objectsStored': {
      const { requestId, sessionId, objects } = report.value
      // Session ids are UUIDs: a client may write its own in capitals.
      const session = sessionId === '' ? undefined : (sessionId.toLowerCase() as SessionId)
      return loop.post({
        kind: 'objectsStored',
        workerId,
        requestId,
        sessionId: session,
        objects: objects.map(heldToDomain),
      })
    }
    case 'objectsDropped':
      return loop.post({ kind: 'objectsDropped', workerId, objectIds: report.value.objectIds as ObjectId[] })
    case 'progress':
      return relayProgress(loop.state, peers, report.value.tasks)
    case 'logs':
      return relayLogs(loop.state, peers, report.value.lines)
    case 'hello':
    case 'goodbye':
      return
    default:
      return report satisfies never
  }
}
