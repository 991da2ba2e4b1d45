import { Status } from 'nice-grpc-common'

import { closeRpcChannel, createRpcChannel, createRpcClient, type Role, type Security } from '#libs/rpc'

import { checkpointBulkMethods, transferDefinition } from './definition.js'
import { TransferStream } from './dial.js'
import { askAgain, resumeGet, resumePut } from './resume.js'
import { TransferError } from './transfer-error.js'

/** The other end of transfers. What loses its stream goes on with the next one where it was. */
export type TransferPeer = Pick<TransferStream, 'get' | 'put' | 'fetch'>

/** Bulk streams to other services, dialled when first needed, dialled anew when they break. */
export interface TransferPool {
  /** A worker's transfer service. */
  worker(addresses: readonly string[]): TransferPeer
  /** The checkpoint-store. */
  store(addresses: readonly string[], method: 'save' | 'load'): TransferPeer
  close(): void
}

export function createTransferPool(security: Security): TransferPool {
  const open = new Map<string, { stream: TransferStream; close: () => void }>()
  let closed = false

  function stream(
    key: string,
    addresses: readonly string[],
    serverRole: Role,
    method: 'transfer' | 'save' | 'load',
  ): TransferStream {
    const known = open.get(key)
    if (known && !known.stream.broken) return known.stream
    known?.close()
    const peer = `${serverRole} ${addresses.join(', ')}`
    if (closed) throw new TransferError(Status.UNAVAILABLE, 'CLOSED', `${peer}: this end is closed`)
    const channel = createRpcChannel(addresses, { security, serverRole, kind: 'bulk' })
    const definition = method === 'transfer' ? transferDefinition : checkpointBulkMethods
    const client = createRpcClient(definition as typeof transferDefinition & typeof checkpointBulkMethods, channel)
    const made = new TransferStream((requests, options) => client[method](requests, options), peer)
    open.set(key, {
      stream: made,
      close: () => {
        made.close()
        closeRpcChannel(channel)
      },
    })
    return made
  }

  return {
    worker: (addresses) => peerOn(() => stream(`worker ${addresses.join()}`, addresses, 'worker', 'transfer')),
    store: (addresses, method) =>
      peerOn(() => stream(`${method} ${addresses.join()}`, addresses, 'checkpointStore', method)),
    close: () => {
      closed = true
      for (const { close } of open.values()) close()
      open.clear()
    },
  }
}

/** Transfers over streams that `dial` gives: the one that is open, or a new one. */
export function peerOn(dial: () => TransferPeer, pause: (ms: number) => Promise<void> = sleep): TransferPeer {
  return {
    get: async (target, open, options) => {
      // Who has a place to go on at goes on by itself, perhaps with another peer.
      if (options?.resume) await dial().get(target, open, options)
      else await resumeGet(async (resume) => await dial().get(target, open, { ...options, resume }), pause)
    },
    fetch: async (target, sources, options) =>
      await askAgain(async () => await dial().fetch(target, sources, options), pause),
    put: async (target, source, options) => {
      // Closed once, and not with each stream.
      const lent = { ...source, close: () => undefined }
      try {
        return await resumePut(async (resume) => await dial().put(target, lent, { ...options, resume }), pause)
      } finally {
        source.close?.()
      }
    },
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
