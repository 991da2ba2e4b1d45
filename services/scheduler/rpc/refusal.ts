import { rpcError } from '#libs/rpc'

import type { Answer } from '../loop.js'

/** Throws what the core refused as an RPC status; else gives the answer on. */
export function accept(answer: Answer): Answer {
  const { refusal } = answer
  if (refusal) throw rpcError(refusal.code, refusal.reason, refusal.message, { metadata: { ...refusal.metadata } })
  return answer
}
