import { listCheckpoints, seekBlobs, seekCheckpoint } from './catalogue.js'
import { releaseBlobs } from './claims.js'
import { collectChunk, noteHealth } from './collection.js'
import { deleteCheckpoint } from './deletion.js'
import type { Out } from './effect.js'
import type { Event } from './event.js'
import { closeGet, openGet } from './gets.js'
import { takeInventory } from './inventory.js'
import { takeLease } from './leases.js'
import { abortPut, openPut, seekChunk, storeBlob, storeCheckpoint, takeCheckpoint } from './puts.js'
import { prune, sweep } from './retention.js'
import type { State } from './state.js'

/**
 * The whole store: the same state and the same event always give the same facts and effects. Mutates `state`; appends to
 * `out` the facts that must be remembered and, after them, the effects that must be done.
 */
export function decide(state: State, event: Event, out: Out): void {
  switch (event.kind) {
    case 'putOpened':
      return openPut(state, event, out)
    case 'chunkSought':
      return seekChunk(state, event, out)
    case 'putAborted':
      return abortPut(state, event, out)
    case 'blobStored':
      return storeBlob(state, event, out)
    case 'blobsReleased':
      return releaseBlobs(state, event, out)
    case 'checkpointStored':
      return storeCheckpoint(state, event, out)
    case 'checkpointCame':
      return takeCheckpoint(state, event, out)
    case 'leaseRequested':
      return takeLease(state, event, out)
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
    case 'pruneRequested':
      return prune(state, event, out)
    case 'sweepDue':
      return sweep(state, event, out)
    case 'collectionDue':
      return collectChunk(state, event, out)
    case 'chunkExamined':
      return noteHealth(state, event)
    case 'storageScanned':
      return takeInventory(state, event, out)
    default:
      event satisfies never
  }
}
