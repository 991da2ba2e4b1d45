import { type Out, refuse } from './effect.js'
import type { RememberedAnswer } from './state.js'

/** Refuses a request id that has come before with a different request. */
export function refuseReuse(
  out: Out,
  event: { readonly callId: number },
  requestId: string,
  first: RememberedAnswer,
): void {
  refuse(out, event, {
    code: 'INVALID_ARGUMENT',
    reason: 'REQUEST_ID_REUSED',
    message: `request id ${requestId} was used before (checkpoint ${first.name} was ${first.kind}): use a new one per request`,
    metadata: { requestId },
  })
}
