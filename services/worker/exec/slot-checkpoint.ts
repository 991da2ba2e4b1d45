import { isMainThread } from 'node:worker_threads'

import { isSegmented } from '#libs/memory'
import {
  type CheckpointInfo,
  CheckpointPace,
  type Codecs,
  type SavedCheckpoint,
  type TaskCheckpoint,
  type TaskLog,
} from '#libs/task'
import { copySegments, copySegmentsTo, decodeValue, encodeValue, packStructure } from '#libs/value'

import { inMessage } from './message-bytes.js'
import { SaveBuffers } from './save-buffers.js'
import { callMain } from './slot-calls.js'
import type { CheckpointCall, FromSlot, LoadedCheckpoint, SlotTask } from './slot-messages.js'

/** Of all tasks of this thread; a slot that is a process shares no memory with its worker. */
const buffers = new SaveBuffers()

/** What a checkpoint needs of its slot. */
export interface SlotCheckpointPorts {
  readonly task: Pick<SlotTask, 'taskId' | 'key'>
  readonly stop: AbortController
  readonly codecs: Codecs
  readonly say: (message: FromSlot, transfer?: readonly ArrayBuffer[]) => void
}

/** The checkpoint of the task that runs in this slot. */
export class SlotCheckpoint implements TaskCheckpoint {
  readonly save: TaskCheckpoint['save']
  readonly load: TaskCheckpoint['load']
  readonly #ports: SlotCheckpointPorts
  readonly #log: TaskLog
  readonly #pace = new CheckpointPace(performance.now())
  readonly #saving = new Set<Promise<void>>()

  constructor(ports: SlotCheckpointPorts, log: TaskLog) {
    this.#ports = ports
    this.#log = log
    // Tasks take them out of the checkpoint.
    this.save = (state, info = {}) => this.#save(state, info)
    this.load = <T>() => this.#load<T>()
  }

  /** Waits until every save is through, one way or the other. */
  async saved(): Promise<void> {
    await Promise.allSettled(this.#saving)
  }

  #save(state: unknown, info: CheckpointInfo): Promise<void> {
    const saving = this.#begin(state, info)
    if (saving === undefined) return Promise.resolve()
    this.#saving.add(saving)
    // Who does not wait for it does not hear of it otherwise.
    saving
      .catch((error: unknown) => this.#log.warn(`the checkpoint was not saved: ${(error as Error).message}`))
      .finally(() => this.#saving.delete(saving))
    return saving
  }

  #begin(state: unknown, info: CheckpointInfo): Promise<void> | undefined {
    if (!this.#pace.isDue(info, performance.now(), this.#ports.stop.signal.aborted)) return undefined
    const { every: _, ...kept } = info
    return this.#send(state, kept)
  }

  async #send(state: unknown, info: CheckpointInfo): Promise<void> {
    const encoded = packStructure(encodeValue(state, this.#what, { codecs: this.#ports.codecs }))
    const { root: structure, segments, byteLength } = encoded
    const lent = isMainThread || isSegmented({ byteLength }) ? undefined : buffers.take(byteLength)
    if (lent) {
      copySegmentsTo(lent.bytes, segments)
      await this.#ask({ kind: 'save', structure, ...lent, info })
    } else {
      const save = { kind: 'save', structure, bytes: copySegments(encoded), info } as const
      await this.#ask(isMainThread ? save : inMessage(save), [save.bytes.buffer])
    }
  }

  async #load<T>(): Promise<SavedCheckpoint<T> | undefined> {
    const loaded = (await this.#ask({ kind: 'load' })) as LoadedCheckpoint | undefined
    this.#pace.resumeAt(performance.now(), loaded?.iteration)
    if (loaded === undefined) return undefined
    const { structure, bytes, ...rest } = loaded
    const { codecs } = this.#ports
    return { ...rest, state: decodeValue(structure, bytes, { view: true, codecs, what: this.#what }) as T }
  }

  #ask(call: CheckpointCall, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    const { task, say } = this.#ports
    return callMain((callId) => say({ kind: 'checkpoint', callId, key: task.key, call }, transfer))
  }

  get #what(): string {
    return `the checkpoint of task ${this.#ports.task.taskId}`
  }
}
