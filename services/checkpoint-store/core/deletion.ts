import { checkpointNotFound } from './catalogue.js'
import { collectGarbage } from './collection.js'
import { answer, type Out, refuse } from './effect.js'
import { emit } from './emit.js'
import type { EventOf } from './event.js'
import { refuseReuse } from './requests.js'
import { partsOf, type State } from './state.js'

/** Deletes a checkpoint with all its versions. */
export function deleteCheckpoint(state: State, event: EventOf<'deleteRequested'>, out: Out): void {
  const { name, requestId, atMs } = event
  const first = state.requests.get(requestId)?.answer
  if (first?.kind === 'deleted' && first.name === name) return answer(out, event, { versions: first.versions })
  if (first) return refuseReuse(out, event, requestId, first)
  const versions = state.checkpoints.get(name)?.versions
  if (versions === undefined) return refuse(out, event, checkpointNotFound(name))
  emit(state, out, { kind: 'checkpointDeleted', atMs, requestId, name })
  for (const part of versions.flatMap(partsOf)) collectGarbage(state, out, part.digest)
  answer(out, event, { versions: versions.length })
}
