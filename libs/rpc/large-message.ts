import type { Channel, ServerInterceptingCallInterface } from '@grpc/grpc-js'

import type { RpcChannelOptions } from './channel.js'
import { discardBuffer, takeFrame } from './frame-memory.js'

/** A message that is written once, straight into the buffer that goes to the socket, instead of being copied there. */
export interface LargeMessage {
  readonly byteLength: number
  /** Writes all bytes of the message, once and at once. */
  readonly writeTo: (target: Buffer, at: number) => void
}

export function isLargeMessage(message: Uint8Array | LargeMessage): message is LargeMessage {
  return 'writeTo' in message
}

/** nice-grpc makes a Buffer of what an encoder gives, so a large message goes through it under the name of a small one. */
const messages = new WeakMap<ArrayBufferLike, LargeMessage>()

/** What stands for the message until the call takes it. */
export function standInFor(message: LargeMessage): ArrayBuffer {
  const standIn = new ArrayBuffer(1)
  messages.set(standIn, message)
  return standIn
}

type Call = ReturnType<Channel['createCall']>

/** Compressed flag and length. */
const prefixBytes = 5

interface ServerCallInternals {
  readonly handler: { serialize(message: unknown): Buffer }
  serializeMessage(message: unknown): Buffer
}

/** Lets a call of the server send large messages, and frees each frame as soon as the socket has it. */
export function sendLargeResponses(call: ServerInterceptingCallInterface): void {
  const internals = call as unknown as ServerCallInternals
  let frame: Buffer | undefined
  internals.serializeMessage = (message) => {
    const bytes = internals.handler.serialize(message)
    const { byteLength, writeTo } = messages.get(bytes.buffer) ?? whole(bytes)
    frame = takeFrame(prefixBytes + byteLength)
    frame.writeUInt8(0, 0)
    frame.writeUInt32BE(byteLength, 1)
    writeTo(frame, prefixBytes)
    return frame
  }
  const send = call.sendMessage.bind(call)
  call.sendMessage = (message, written) =>
    send(message, () => {
      if (frame) discardBuffer(frame)
      written()
    })
}

/**
 * The same for a call of a client. grpc-js asks a message for its length and to copy itself into the frame, and for nothing else,
 * unless it may be sent again: only on bulk channels it is certain that it is not.
 */
export function sendLargeRequests(call: Call, kind: RpcChannelOptions['kind']): Call {
  const send = call.sendMessageWithContext.bind(call)
  call.sendMessageWithContext = (context, message) => {
    const large = messages.get(message.buffer)
    if (large === undefined) {
      send(context, message)
      return
    }
    let frame: Buffer | undefined
    const copy = (target: Buffer, at: number): void => {
      frame = target
      large.writeTo(target, at)
    }
    const written: typeof context.callback = (error) => {
      if (frame && kind === 'bulk') discardBuffer(frame)
      context.callback?.(error)
    }
    send({ ...context, callback: written }, { length: large.byteLength, copy } as unknown as Buffer)
  }
  return call
}

function whole(bytes: Buffer): LargeMessage {
  return { byteLength: bytes.byteLength, writeTo: (target, at) => void bytes.copy(target, at) }
}
