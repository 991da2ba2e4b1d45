import type { TaskSpec } from '#libs/proto'
import type { ArgumentEncoder } from '#libs/submission'
import { encodeFixedList, type Fixed, isFixed } from '#libs/value'

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
  return args.every(isFixed) ? new LateCall(terms, args) : { ...terms, input: encoder.encode(args, taskName) }
}

class LateCall implements TaskSpec {
  readonly function: number
  readonly name: string
  readonly timeout: TaskSpec['timeout']
  readonly needs: number
  readonly retryPolicy: number
  readonly #args: readonly Fixed[]
  #input: Buffer | undefined

  constructor(terms: TaskTerms, args: readonly Fixed[]) {
    this.function = terms.function
    this.name = terms.name
    this.timeout = terms.timeout
    this.needs = terms.needs
    this.retryPolicy = terms.retryPolicy
    this.#args = args
  }

  get input(): Buffer {
    return (this.#input ??= encodeFixedList(this.#args))
  }
}
