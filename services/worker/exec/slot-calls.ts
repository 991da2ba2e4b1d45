import { MeshError } from '#libs/task'

import type { CallError } from './slot-messages.js'

const open = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
let nextCallId = 1

/** Asks the main side something; `send` gets the call's id. */
export function callMain(send: (callId: number) => void): Promise<unknown> {
  const callId = nextCallId++
  return new Promise((resolve, reject) => {
    open.set(callId, { resolve, reject })
    send(callId)
  })
}

/** The main side answered. */
export function answerCall(callId: number, result: unknown, error: CallError | undefined): void {
  const call = open.get(callId)
  open.delete(callId)
  if (error === undefined) call?.resolve(result)
  else call?.reject(errorOf(error))
}

function errorOf({ message, code, reason }: CallError): Error {
  return code === undefined ? new Error(message) : new MeshError(code, reason ?? '', message)
}
