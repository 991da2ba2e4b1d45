import { apply } from './apply.js'
import type { Out } from './effect.js'
import type { Fact } from './fact.js'
import type { State } from './state.js'

/** Remembers a fact, now and for a restart: durable state has no other way to change. */
export function emit(state: State, out: Out, fact: Fact): void {
  apply(state, fact)
  out.facts.push(fact)
}
