import type { ObjectId, WorkerId } from '#libs/domain'
import {
  checkHello,
  makeHello,
  type LinkRequest,
  type LinkResponse,
  type SchedulerServiceImplementation,
  type WorkerInventory,
} from '#libs/proto'
import { rpcError } from '#libs/rpc'

import type { Outlet } from '../effects/outlet.js'
import type { Peers } from '../effects/peers.js'
import { relayLogs, relayProgress } from '../effects/relay.js'
import type { ArchivedObject } from '../core/event.js'
import type { Loop } from '../loop.js'
import { listen } from './listen.js'
import {
  attemptToDomain,
  endToDomain,
  heldToDomain,
  listedToDomain,
  predecessorToDomain,
  profileToDomain,
  pulseToDomain,
  startsToDomain,
  storedToDomain,
} from './to-domain.js'

/** How often workers say that they are alive; a silence of ten of these is a loss. */
export const heartbeatIntervalMs = 3_000

type Report = NonNullable<LinkRequest['report']>

/** A worker's link: reports in, commands out. */
export function createLinkMethod(loop: Loop, peers: Peers): SchedulerServiceImplementation['link'] {
  return async function* (requests, { signal }) {
    const reports = requests[Symbol.asyncIterator]()
    const greeted = await greet(reports, loop, peers)
    if (greeted === undefined) return
    const { workerId, outlet } = greeted
    const end = { left: false }
    // A stream that another one replaced says nothing about the worker.
    const close = (): void => {
      if (peers.closeLink(workerId, outlet)) {
        loop.post(end.left ? { kind: 'workerLeft', workerId } : { kind: 'workerUnlinked', workerId })
      }
    }
    outlet.whenSlow(close)
    const stop = (): void => outlet.end()
    signal.addEventListener('abort', stop)
    const hear = ({ report }: LinkRequest): void => {
      if (report?.$case === 'goodbye') end.left = true
      else if (report) take(report, workerId, loop, peers)
    }
    listen(reports, hear, outlet)
    try {
      yield* outlet
    } finally {
      signal.removeEventListener('abort', stop)
      close()
    }
  }
}

/** Hears who the worker is and what it has; nothing when the link ends before that is said. */
async function greet(
  reports: AsyncIterator<LinkRequest>,
  loop: Loop,
  peers: Peers,
): Promise<{ readonly workerId: WorkerId; readonly outlet: Outlet<LinkResponse> } | undefined> {
  const first = await reports.next()
  const report = first.done ? undefined : first.value.report
  if (report?.$case !== 'hello')
    throw rpcError('INVALID_ARGUMENT', 'NO_HELLO', 'the first report of a link must be a hello')
  const hello = report.value
  // First of all: what a newer worker says of itself may make no sense here, and it must hear why.
  const mismatch = checkHello(hello.hello, 'the scheduler', `worker ${hello.workerId}`)
  if (mismatch) throw rpcError('FAILED_PRECONDITION', 'PROTOCOL_MISMATCH', mismatch)
  const profile = profileToDomain(hello)
  const inventory = await hearInventory(reports, hello)
  if (inventory === undefined) return undefined
  const predecessor = predecessorToDomain(hello.predecessor)
  const outlet = peers.openLink(profile.workerId)
  const welcome = { hello: makeHello(), epoch: BigInt(loop.state.epoch), heartbeatIntervalMs }
  outlet.push({ command: { $case: 'welcome', value: welcome } })
  loop.post({
    kind: 'workerJoined',
    profile,
    attempts: inventory.flatMap(({ attempts }) => attempts.flatMap((ref) => listedToDomain(ref) ?? [])),
    objects: inventory.flatMap(({ objects }) => objects.map(heldToDomain)),
    stored: inventory.flatMap(({ stored }) => stored.map(storedToDomain)),
    ...(predecessor ? { predecessor } : {}),
  })
  return { workerId: profile.workerId, outlet }
}

/** All parts of what the worker has; nothing when the link ends before the last one. */
async function hearInventory(
  reports: AsyncIterator<LinkRequest>,
  first: WorkerInventory,
): Promise<WorkerInventory[] | undefined> {
  const parts = [first]
  for (let last = first; last.inventoryFollows;) {
    const next = await reports.next()
    if (next.done) return undefined
    const { report } = next.value
    if (report?.$case !== 'inventory') {
      const message = `a ${report?.$case ?? 'report of no kind'} came where a part of the inventory was announced`
      throw rpcError('INVALID_ARGUMENT', 'INVENTORY_INCOMPLETE', message)
    }
    parts.push((last = report.value))
  }
  return parts
}

function take(report: Report, workerId: WorkerId, loop: Loop, peers: Peers): void {
  switch (report.$case) {
    case 'heartbeat': {
      return loop.post({ kind: 'workerHeard', workerId, pulse: pulseToDomain(report.value) })
    }
    case 'tasksStarted':
      return loop.post({ kind: 'tasksStarted', workerId, attempts: startsToDomain(report.value.tasks) })
    case 'tasksWaiting': {
      const waits = report.value.attempts.flatMap((wire) => {
        const ref = attemptToDomain(wire)
        const { wait = 0, waitOver = false } = wire
        return ref === undefined || wait === 0 ? [] : { ...ref, wait, isOver: waitOver }
      })
      return loop.post({ kind: 'tasksWaited', workerId, waits })
    }
    case 'tasksEnded': {
      const { tasks, started } = report.value
      if (started.length > 0) loop.post({ kind: 'tasksStarted', workerId, attempts: startsToDomain(started) })
      return loop.post({ kind: 'tasksEnded', workerId, ends: tasks.flatMap((end) => endToDomain(end) ?? []) })
    }
    case 'tasksReturned': {
      const attempts = report.value.attempts.flatMap((ref) => attemptToDomain(ref) ?? [])
      return loop.post({ kind: 'tasksReturned', workerId, attempts, recalled: report.value.recalled })
    }
    case 'objectsStored':
      return loop.post({ kind: 'objectsStored', workerId, ...storedToDomain(report.value) })
    case 'objectsDropped':
      return loop.post({ kind: 'objectsDropped', workerId, objectIds: report.value.objectIds as ObjectId[] })
    case 'departing':
      return loop.post({ kind: 'workerDeparting', workerId })
    case 'objectsArchived':
      return loop.post({ kind: 'objectsArchived', workerId, objects: report.value.objects as ArchivedObject[] })
    case 'progress':
      return relayProgress(loop.state, peers, report.value.tasks)
    case 'logs':
      return relayLogs(loop.state, peers, report.value.lines)
    case 'hello':
    case 'inventory':
    case 'goodbye':
      return
    default:
      return report satisfies never
  }
}
