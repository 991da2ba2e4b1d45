import { randomUUID } from 'node:crypto'

import { loadCheckpoint, saveCheckpoint } from '#libs/checkpoint'
import { segmentsOf } from '#libs/memory'
import { CheckpointServiceDefinition } from '#libs/proto'
import { closeRpcChannel, createRpcChannel, createRpcClient, type RpcClient, type Security } from '#libs/rpc'
import type { TransferPool } from '#libs/transfer'

import { type AttemptKey, keyOf, type TaskOrder } from '../core/state.js'
import type { CheckpointCall, LoadedCheckpoint } from '../exec/slot-messages.js'
import { giveBack } from '../exec/save-buffers.js'
import { LatestSave } from './latest-save.js'

type Save = Extract<CheckpointCall, { kind: 'save' }>

/** Saves and loads tasks' own checkpoints in the checkpoint-store, straight from this worker. */
export interface TaskCheckpoints {
  call(key: AttemptKey, call: CheckpointCall): Promise<LoadedCheckpoint | undefined>
  /** The attempt is over. */
  forget(key: AttemptKey): void
  close(): void
}

/** How to reach the store, and what is told of attempts. */
export interface CheckpointPorts {
  /** Nothing when the attempt is over. */
  readonly orderOf: (key: AttemptKey) => TaskOrder | undefined
  readonly onSave: (key: AttemptKey) => void
  readonly workerId: string
  readonly security: Security
  readonly pool: TransferPool
  readonly storeAddresses: () => Promise<readonly string[]>
}

/** What an attempt has at the store: it takes the name over with its first save or load, and then fences those before it. */
interface Writer {
  readonly token: Promise<number>
  readonly saves: LatestSave<Save>
}

export function createTaskCheckpoints(ports: CheckpointPorts): TaskCheckpoints {
  const { workerId, security, pool, storeAddresses, orderOf, onSave } = ports
  const writers = new Map<string, Writer>()
  let channel: ReturnType<typeof createRpcChannel> | undefined
  let rpc: RpcClient<typeof CheckpointServiceDefinition> | undefined

  async function takeLease(name: string, order: TaskOrder): Promise<number> {
    channel ??= createRpcChannel(storeAddresses, { security, serverRole: 'checkpointStore', kind: 'control' })
    rpc ??= createRpcClient(CheckpointServiceDefinition, channel)
    const holder = `attempt ${order.attempt} of task ${order.taskId} on worker ${workerId}`
    return Number((await rpc.acquireLease({ name, holder, requestId: randomUUID() })).token)
  }

  function writerOf(name: string, order: TaskOrder): Writer {
    const key = keyOf(order)
    const known = writers.get(key)
    if (known) return known
    const token = takeLease(name, order)
    // The next call asks again.
    token.catch(() => writers.delete(key))
    const saves = new LatestSave<Save>(async ({ structure, bytes, info }) => {
      const stream = pool.store(await storeAddresses(), 'save')
      const save = { name, structure, segments: segmentsOf(bytes), info, writerToken: await token, trace: order.trace }
      await saveCheckpoint(stream, save)
    }, giveBack)
    const writer = { token, saves }
    writers.set(key, writer)
    return writer
  }

  return {
    call: async (key, call) => {
      const order = orderOf(key)
      if (order === undefined) {
        if (call.kind === 'save') giveBack(call)
        throw new Error('the attempt is over: its checkpoint is that of the next one')
      }
      if (call.kind === 'save') onSave(key)
      const at = order.taskId.lastIndexOf('/')
      if (call.kind === 'profile') {
        const { structure, bytes } = call
        const profile = `jobs/${order.taskId.slice(0, at)}/profiles/${order.taskId.slice(at + 1)}`
        await saveCheckpoint(pool.store(await storeAddresses(), 'save'), {
          name: profile,
          structure,
          segments: segmentsOf(bytes),
        })
        return undefined
      }
      const name = `jobs/${order.taskId.slice(0, at)}/tasks/${order.taskId.slice(at + 1)}`
      const writer = writerOf(name, order)
      // Before a load too: what an attempt goes on from must not be changed by the one before it.
      await writer.token.catch((error: unknown) => {
        if (call.kind === 'save') giveBack(call)
        throw error
      })
      if (call.kind === 'load')
        return await loadCheckpoint(pool.store(await storeAddresses(), 'load'), name, 0, order.trace)
      await writer.saves.offer(call)
      return undefined
    },
    forget: (key) => void writers.delete(key),
    close: () => {
      if (channel) closeRpcChannel(channel)
    },
  }
}
