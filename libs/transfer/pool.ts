import { closeRpcChannel, createRpcChannel, createRpcClient, type Role, type Security } from '#libs/rpc'

import { checkpointBulkMethods, transferDefinition } from './definition.js'
import { TransferStream } from './dial.js'

/** Bulk streams to other services, dialled when first needed, dialled anew when they break. */
export interface TransferPool {
  /** A stream to a worker's transfer service. */
  worker(addresses: readonly string[]): TransferStream
  /** Streams to the checkpoint-store. */
  store(addresses: readonly string[], method: 'save' | 'load'): TransferStream
  close(): void
}

export function createTransferPool(security: Security): TransferPool {
  const open = new Map<string, { stream: TransferStream; close: () => void }>()

  function stream(
    key: string,
    addresses: readonly string[],
    serverRole: Role,
    method: 'transfer' | 'save' | 'load',
  ): TransferStream {
    const known = open.get(key)
    if (known && !known.stream.broken) return known.stream
    known?.close()
    const channel = createRpcChannel(addresses, { security, serverRole, kind: 'bulk' })
    const definition = method === 'transfer' ? transferDefinition : checkpointBulkMethods
    const client = createRpcClient(definition as typeof transferDefinition & typeof checkpointBulkMethods, channel)
    const made = new TransferStream(
      (requests, options) => client[method](requests, options),
      `${serverRole} ${addresses.join(', ')}`,
    )
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
    worker: (addresses) => stream(`worker ${addresses.join()}`, addresses, 'worker', 'transfer'),
    store: (addresses, method) => stream(`${method} ${addresses.join()}`, addresses, 'checkpointStore', method),
    close: () => {
      for (const { close } of open.values()) close()
      open.clear()
    },
  }
}
