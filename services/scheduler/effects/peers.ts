import type { SessionId, WorkerId } from '#libs/domain'
import type { Clock } from '#libs/lifecycle'
import type { LinkResponse, SessionResponse } from '#libs/proto'

import type { Demand } from '../core/demand.js'
import type { Level } from './level.js'
import { sizeOfCommand, sizeOfTold } from './message-size.js'
import { Outlet } from './outlet.js'

/** The open streams: what is said to whom. A stream that is taken up again replaces the one before. */
export interface Peers {
  readonly links: ReadonlyMap<WorkerId, Outlet<LinkResponse>>
  readonly sessions: ReadonlyMap<SessionId, Outlet<SessionResponse>>
  readonly demandWatchers: Set<Level<Demand>>
  openLink(workerId: WorkerId): Outlet<LinkResponse>
  openSession(sessionId: SessionId): Outlet<SessionResponse>
  /** Forgets the stream; says whether it was still the current one. */
  closeLink(workerId: WorkerId, outlet: Outlet<LinkResponse>): boolean
  closeSession(sessionId: SessionId, outlet: Outlet<SessionResponse>): boolean
}

export function createPeers(clock: Clock): Peers {
  const nowMs = (): number => clock.nowMs()
  const links = new Map<WorkerId, Outlet<LinkResponse>>()
  const sessions = new Map<SessionId, Outlet<SessionResponse>>()
  return {
    links,
    sessions,
    demandWatchers: new Set(),
    openLink: (workerId) => replace(links, workerId, new Outlet({ sizeOf: sizeOfCommand, nowMs })),
    openSession: (sessionId) => replace(sessions, sessionId, new Outlet({ sizeOf: sizeOfTold, nowMs })),
    closeLink: (workerId, outlet) => forget(links, workerId, outlet),
    closeSession: (sessionId, outlet) => forget(sessions, sessionId, outlet),
  }
}

function replace<Id, Message>(streams: Map<Id, Outlet<Message>>, id: Id, outlet: Outlet<Message>): Outlet<Message> {
  streams.get(id)?.end()
  streams.set(id, outlet)
  return outlet
}

function forget<Id, Message>(streams: Map<Id, Outlet<Message>>, id: Id, outlet: Outlet<Message>): boolean {
  outlet.end()
  return streams.get(id) === outlet && streams.delete(id)
}
