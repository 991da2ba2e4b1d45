import type { TaskSpec } from '#libs/proto'
import type { ArgumentEncoder } from '#libs/submission'

/** Longer text, and text with half a surrogate pair, is encoded at once: it may be refused. */
const maxTextLength = 1_000

/** What a task is besides its arguments. */
export type TaskTerms = Omit<TaskSpec, 'input'>

/**
 * A call of a task on its way. Its arguments are encoded when it is added, because the program may change them; those that nobody can
 * change are when the call is sent, while the scheduler reads the calls before it.
 */
export function taskCall(
  terms: TaskTerms,
  args: readonly unknown[],
  encoder: ArgumentEncoder,
  taskName: string,
): TaskSpec {
  if (args.every(isFixed)) return new LateCall(terms, args, encoder, taskName)
  return { ...terms, input: encoder.encode(args, taskName) }
}

class LateCall implements TaskSpec {
  readonly function: number
  readonly name: string
  readonly timeout: TaskSpec['timeout']
  readonly needs: number
  readonly retryPolicy: number
  readonly #args: readonly unknown[]
  readonly #encoder: ArgumentEncoder
  readonly #taskName: string
  #input: Buffer | undefined

  constructor(terms: TaskTerms, args: readonly unknown[], encoder: ArgumentEncoder, taskName: string) {
    this.function = terms.function
    this.name = terms.name
    this.timeout = terms.timeout
    this.needs = terms.needs
    this.retryPolicy = terms.retryPolicy
    this.#args = args
    this.#encoder = encoder
    this.#taskName = taskName
  }

  get input(): Buffer {
    return (this.#input ??= this.#encoder.encode(this.#args, this.#taskName))
  }
}

function isFixed(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean' || value === null || isShortText(value)
}

function isShortText(value: unknown): boolean {
  // Node 20 has it; the language level that we compile for does not.
  return typeof value === 'string' && value.length <= maxTextLength && (value as WithWellFormed).isWellFormed()
}

type WithWellFormed = string & { isWellFormed(): boolean }
