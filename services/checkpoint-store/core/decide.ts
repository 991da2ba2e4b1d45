import { listCheckpoints, seekBlobs, seekCheckpoint } from './catalogue.js'
import { collectBlob, damageBlob } from './collection.js'
import { deleteCheckpoint } from './deletion.js'
import type { Out } from './effect.js'
import type { Event } from './event.js'
import { closeGet, openGet } from './gets.js'
import { takeInventory } from './inventory.js'
import { abortPut, openPut, storeBlob, storeCheckpoint } from './puts.js'
import type { State } from './state.js'

/**
 * The whole store: the same state and the same event always give the same facts and effects. Mutates `state`; appends to
 * `out` the facts that must be remembered and, after them, the effects that must be done.
 */
export function decide(state: State, event: Event, out: Out): void {
  switch (event.kind) {
    case 'putOpened':
      return openPut(state, event, out)
    case 'putAborted':
      return abortPut(state, event)
    case 'blobStored':
      return storeBlob(state, event, out)
    case 'checkpointStored':
      return storeCheckpoint(state, event, out)
    case 'getOpened':
      return openGet(state, event, out)
    case 'getClosed':
      return closeGet(state, event, out)
    case 'blobsSought':
      return seekBlobs(state, event, out)
    case 'checkpointSought':
      return seekCheckpoint(state, event, out)
    case 'checkpointsListed':
      return listCheckpoints(state, event, out)
    case 'deleteRequested':
      return deleteCheckpoint(state, event, out)
    case 'collectionDue':
      return collectBlob(state, event, out)
    case 'blobDamaged':
      return damageBlob(state, event)
    case 'storageScanned':
      return takeInventory(state, event, out)
    default:
      event satisfies never
  }
}
