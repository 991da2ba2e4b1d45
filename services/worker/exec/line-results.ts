import { copyBytes } from '#libs/memory'
import { type InputValue, type InputValues, isInSharedMemory } from '#libs/submission'

import type { SlotOutcome, SlotTask } from './slot-messages.js'

/** Of so many tasks that ended last the results are kept when they are small: a line that runs hears of what follows it at its end. */
const maxRecent = 64

/** What tasks in a slot's line take of those before them there, kept until the last of them has it. */
export class LineResults {
  /** By attempt, how many tasks in the line take its result. */
  readonly #takers = new Map<string, number>()
  readonly #kept = new Map<string, InputValue>()
  readonly #recent = new Map<string, InputValue>()

  /** The task is in the line. */
  expect({ awaited = [] }: SlotTask): void {
    for (const { key } of awaited) this.#takers.set(key, (this.#takers.get(key) ?? 0) + 1)
  }

  /** An attempt ended; a large result is copied, because the end takes its bytes away. */
  keep(key: string, outcome: SlotOutcome): void {
    if (outcome.kind === 'payload') this.#remember(key, outcome)
    if (outcome.kind === 'failed' || !this.#takers.has(key)) return
    this.#kept.set(key, outcome.kind === 'payload' ? outcome : copyOf(outcome))
  }

  /** The task has its turn, or leaves the line: its inputs with those that were made here; nothing when one was not. */
  take({ inputs, awaited = [] }: SlotTask): InputValues | undefined {
    if (awaited.length === 0) return inputs
    const all = new Map(inputs)
    let isWhole = true
    for (const { objectId, key } of awaited) {
      const made = this.#handOver(key)
      if (made) all.set(objectId, made)
      else isWhole = false
    }
    return isWhole ? all : undefined
  }

  #remember(key: string, made: InputValue): void {
    this.#recent.set(key, made)
    if (this.#recent.size <= maxRecent) return
    for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest)
      return
    }
  }

  /** Of a large result the last taker gets what is kept, the others get copies. A small one may not be said yet: all get copies. */
  #handOver(key: string): InputValue | undefined {
    const made = this.#kept.get(key) ?? this.#recent.get(key)
    const others = (this.#takers.get(key) ?? 1) - 1
    if (others > 0) {
      this.#takers.set(key, others)
      return made && copyOf(made)
    }
    this.#takers.delete(key)
    this.#kept.delete(key)
    return made?.kind === 'payload' ? copyOf(made) : made
  }
}

/** What lies in shared memory the task copies itself. */
function copyOf(made: InputValue): InputValue {
  // Not `slice`: that of a Buffer is no copy.
  if (made.kind === 'payload') return { ...made, payload: new Uint8Array(made.payload) }
  const { bytes } = made
  return isInSharedMemory(bytes) ? made : { ...made, bytes: copyBytes(bytes, new ArrayBuffer(bytes.byteLength)) }
}
