import type { SessionId, WorkerId } from '#libs/domain'
import type { LinkResponse, SessionResponse, WatchDemandResponse } from '#libs/proto'
import { Outbox } from '#libs/transfer'

/** The open streams: what is said to whom. A stream that is taken up again replaces the one before. */
export interface Peers {
  readonly links: ReadonlyMap<WorkerId, Outbox<LinkResponse>>
  readonly sessions: ReadonlyMap<SessionId, Outbox<SessionResponse>>
  readonly demandWatchers: Set<Outbox<WatchDemandResponse>>
  openLink(workerId: WorkerId): Outbox<LinkResponse>
  openSession(sessionId: SessionId): Outbox<SessionResponse>
  /** Forgets the stream; says whether it was still the current one. */
  closeLink(workerId: WorkerId, outbox: Outbox<LinkResponse>): boolean
  closeSession(sessionId: SessionId, outbox: Outbox<SessionResponse>): boolean
}

export function createPeers(): Peers {
  const links = new Map<WorkerId, Outbox<LinkResponse>>()
  const sessions = new Map<SessionId, Outbox<SessionResponse>>()
  return {
    links,
    sessions,
    demandWatchers: new Set(),
    openLink: (workerId) => replace(links, workerId),
    openSession: (sessionId) => replace(sessions, sessionId),
    closeLink: (workerId, outbox) => forget(links, workerId, outbox),
    closeSession: (sessionId, outbox) => forget(sessions, sessionId, outbox),
  }
}

function replace<Id, Message>(streams: Map<Id, Outbox<Message>>, id: Id): Outbox<Message> {
  streams.get(id)?.end()
  const outbox = new Outbox<Message>()
  streams.set(id, outbox)
  return outbox
}

function forget<Id, Message>(streams: Map<Id, Outbox<Message>>, id: Id, outbox: Outbox<Message>): boolean {
  outbox.end()
  return streams.get(id) === outbox && streams.delete(id)
}
