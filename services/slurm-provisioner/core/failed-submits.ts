import { backOff } from './backoff.js'
import type { Out } from './effect.js'
import { emit } from './emit.js'
import type { Refusal } from './event.js'
import type { Pool } from './pool.js'
import type { State } from './state.js'

/** A submit came to nothing: the next one waits, and after too many that nothing but a person mends, the pool is paused. */
export function noteFailedSubmit(
  state: State,
  pool: Pool,
  refusal: Refusal,
  inRow: number,
  { atMs, out }: { readonly atMs: number; readonly out: Out },
): void {
  const { name, maxFailedSubmits } = pool.limits
  const { kind, message, advice, isTransient } = refusal
  pool.totals.refusals++
  pool.lastRefusal = { atMs, kind, message, advice }
  backOff(state, pool, inRow, atMs)
  const waitMs = pool.notBeforeMs - atMs
  const text = `SLURM refused a submit of pool ${name}: ${message} (${advice}); tried again in ${Math.round(waitMs / 1000)} s`
  out.effects.push({ kind: 'tell', level: 'warn', text, pool: name })
  if (isTransient || pool.pause || inRow < maxFailedSubmits) return
  const reason = `SLURM refused ${inRow} submits in a row: ${message} (${advice}). Mend the pool, then resume it.`
  emit(state, out, { kind: 'poolPaused', pool: name, pause: { sinceMs: atMs, by: 'provisioner', reason } })
  out.effects.push({ kind: 'tell', level: 'warn', text: `pool ${name} is paused: ${reason}`, pool: name })
}
