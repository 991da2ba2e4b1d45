import { rpcError } from '#libs/rpc'

import type { Answers } from '../core/event.js'
import type { Answer } from '../loop.js'

/** Throws what the core refused as an RPC status; else gives its answer on. */
export function accept<Kind extends keyof Answers>(answer: Answer<Kind>): Answers[Kind] {
  if ('value' in answer) return answer.value
  const { code, reason, message, ...details } = answer.refusal
  throw rpcError(code, reason, message, details)
}
