import { copyBytes } from '#libs/memory'
import { Payload } from '#libs/proto'

import { sha256Of } from './sha-256.js'
import type { InputBody, InputValue } from './task-inputs.js'

/** A task changed what it shares with others. */
export class SharedInputChangedError extends Error {
  override readonly name = 'SharedInputChangedError'
}

/**
 * Sees whether a task changes inputs that it shares. While it is watched it gets copies of them: what it does to them nobody
 * else feels, and nobody else is blamed for it.
 */
export class InputWatch {
  readonly #taskName: string
  readonly #opened = new Map<string, { readonly body: InputBody; readonly digest: string }>()

  /** `taskName` is what messages call the task. */
  constructor(taskName: string) {
    this.#taskName = taskName
  }

  /** The input as the task sees it. */
  open(name: string, input: InputValue): InputBody {
    const known = this.#opened.get(name)
    if (known) return known.body
    const { structure, bytes } = input.kind === 'body' ? input : bodyOf(input.payload)
    const body = { kind: 'body', structure, bytes: copyBytes(bytes, new ArrayBuffer(bytes.byteLength)) } as const
    this.#opened.set(name, { body, digest: sha256Of([body.bytes]) })
    return body
  }

  /** How the task changed one; nothing when all are as they were. `cause` is what it threw, if it did. */
  findChange(cause: unknown): SharedInputChangedError | undefined {
    for (const [name, { body, digest }] of this.#opened) {
      if (sha256Of([body.bytes]) === digest) continue
      const message =
        `${this.#taskName} changed its shared input ${name}: copy what is to be changed (xs.slice()), or pass the input ` +
        'without shared(), which gives the task a copy of its own'
      return new SharedInputChangedError(message, cause === undefined ? {} : { cause })
    }
    return undefined
  }
}

function bodyOf(payload: Uint8Array): Pick<InputBody, 'structure' | 'bytes'> {
  const { root, body } = Payload.decode(payload)
  return { structure: root, bytes: body }
}
