import { type InputBody } from '#libs/submission'
import { type CheckpointInfo, MeshError, type SavedCheckpoint } from '#libs/task'

import type { Checkpoints } from './checkpoints.js'
import { putTogether, takeApart } from './inline-body.js'

/** As the checkpoint-store has it: printable characters in parts between slashes. */
const validName = /^(?!\.{1,2}(?:\/|$))[^\p{C}/]+(?:\/(?!\.{1,2}(?:\/|$))[^\p{C}/]+)*$/u
const mostNameLength = 512

/** What a program keeps, in memory: it ends with the cluster. Values are taken apart and put together as on a mesh. */
export class InlineCheckpoints implements Checkpoints {
  readonly #saved = new Map<string, { body: InputBody; version: number; info: CheckpointInfo }>()

  async save(name: string, value: unknown, info: CheckpointInfo = {}): Promise<number> {
    if (!validName.test(name) || name.length > mostNameLength) {
      const message = `'${name}' is no name of a checkpoint: give 1 to ${mostNameLength} printable characters, with single slashes between parts`
      throw new MeshError('INVALID_ARGUMENT', 'BAD_NAME', message)
    }
    const version = (this.#saved.get(name)?.version ?? 0) + 1
    this.#saved.set(name, { body: takeApart(value, `the checkpoint '${name}'`), version, info })
    return version
  }

  async load<T>(name: string): Promise<SavedCheckpoint<T> | undefined> {
    const saved = this.#saved.get(name)
    if (saved === undefined) return undefined
    const { body, version, info } = saved
    const { iteration, cost } = info
    return {
      state: putTogether(body, { what: `the checkpoint '${name}'` }) as T,
      version,
      ...(iteration === undefined ? {} : { iteration }),
      ...(cost === undefined ? {} : { cost }),
    }
  }

  async delete(name: string): Promise<void> {
    this.#saved.delete(name)
  }
}
