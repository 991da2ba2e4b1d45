import { checkpointNotFound, findVersion } from './catalogue.js'
import { answer, type Out, refuse } from './effect.js'
import type { EventOf } from './event.js'
import { refuseReuse, remember } from './requests.js'
import { dropVersions } from './retention.js'
import { etagOf, type State } from './state.js'

/** Deletes a checkpoint with all its versions, or one of them. */
export function deleteCheckpoint(state: State, event: EventOf<'deleteRequested'>, out: Out): void {
  const { name, version, etag, requestId, atMs } = event
  const first = state.requests.get(requestId)
  if (first?.kind === 'deleted' && first.name === name) return answer(out, event, { versions: first.versions })
  if (first) return refuseReuse(out, event, requestId, first)
  const versions = state.checkpoints.get(name)?.versions
  if (versions === undefined) return refuse(out, event, checkpointNotFound(name))
  const found = findVersion(state, name, version)
  if ('code' in found) return refuse(out, event, found)
  if (etag !== '' && etag !== etagOf(found)) {
    const message = `checkpoint ${name} has the etag ${etagOf(found)}, not ${etag}: look at it again before you delete it`
    return refuse(out, event, { code: 'ABORTED', reason: 'ETAG_MISMATCH', message, metadata: { name } })
  }
  const dropped = version === 0 ? [...versions] : [found]
  dropVersions(state, name, dropped, out)
  remember(state, out, requestId, atMs, { kind: 'deleted', name, versions: dropped.length })
  answer(out, event, { versions: dropped.length })
}
