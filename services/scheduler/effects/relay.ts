import { parseTaskId, type SessionId } from '#libs/domain'
import type { LogLine, TaskProgress } from '#libs/proto'

import type { State } from '../core/state.js'
import type { Peers } from './peers.js'

/** Results that come meanwhile take the progress along. */
const progressPutOffMs = 50

/** Passes the progress that tasks report to the sessions that follow their jobs. Nothing of it is remembered. */
export function relayProgress(state: State, peers: Peers, tasks: readonly TaskProgress[]): void {
  for (const [sessionId, mine] of bySession(state, tasks)) {
    peers.sessions.get(sessionId)?.putOff({ message: { $case: 'progress', value: { tasks: mine } } }, progressPutOffMs)
  }
}

/** Passes the lines that tasks wrote to the sessions that follow their jobs. */
export function relayLogs(state: State, peers: Peers, lines: readonly LogLine[]): void {
  for (const [sessionId, mine] of bySession(state, lines)) {
    peers.sessions.get(sessionId)?.push({ message: { $case: 'logs', value: { lines: mine } } })
  }
}

function bySession<Item extends { readonly taskId: string }>(
  state: State,
  items: readonly Item[],
): Map<SessionId, Item[]> {
  const sessions = new Map<SessionId, Item[]>()
  for (const item of items) {
    const id = parseTaskId(item.taskId)
    for (const sessionId of (id && state.jobs.get(id.jobId)?.followers) ?? []) {
      const mine = sessions.get(sessionId)
      if (mine) mine.push(item)
      else sessions.set(sessionId, [item])
    }
  }
  return sessions
}
