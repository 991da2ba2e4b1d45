import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import type { Measurement } from './measurement.js'
import type { RowContext } from './row.js'

/** What a row's process is told; the rest of the row's context is its own. */
export interface RowOrder extends Pick<RowContext, 'repeats' | 'dask' | 'runDir'> {
  readonly name: string
}

/** What it answers: the measurement, or why there is none. */
export type RowAnswer = { readonly measured: Measurement } | { readonly failure: string }

const program = fileURLToPath(new URL('./measure-row.ts', import.meta.url))

/**
 * Measures a row in a process of its own: what one leaves behind, in the heap and in what V8 has learned, is no cost of the next.
 *
 * @throws Error with the stack of the row's error, or with how the process ended.
 */
export async function measureApart(order: RowOrder): Promise<Measurement> {
  const child = fork(program, { execArgv: ['--import', 'tsx'] })
  const exited = once(child, 'exit')
  let answer: RowAnswer | undefined
  child.on('message', (message: RowAnswer) => (answer = message))
  child.send(order)
  const [code, signal] = (await exited) as [number | null, NodeJS.Signals | null]
  if (answer === undefined) throw new Error(`its process ended with ${signal ?? `code ${code ?? 'none'}`}`)
  if ('failure' in answer) throw new Error(answer.failure)
  return answer.measured
}
