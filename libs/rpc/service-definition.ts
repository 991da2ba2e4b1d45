import { BinaryWriter } from '@bufbuild/protobuf/wire'
import type { CompatServiceDefinition, MethodDefinition, TsProtoServiceDefinition } from 'nice-grpc'

import { isLargeMessage, type LargeMessage, standInFor } from './large-message.js'

type AnyMethod = MethodDefinition<unknown, unknown, unknown, unknown>
type MessageType = TsProtoServiceDefinition['methods'][string]['requestType']

/** A definition in the shape that ts-proto generates, whatever it was written in. */
export type NamedServiceDefinition = Pick<TsProtoServiceDefinition, 'name' | 'fullName' | 'methods'>

/**
 * The definition in the shape that serves us best in nice-grpc: that of ts-proto. A definition written as plain
 * methods would be taken for one of grpc-js, which loses its idempotency levels and copies every message received; and
 * nice-grpc copies every message sent, unless it is handed the memory itself. What goes both ways on a stream must be whole:
 * only calls of other kinds may leave out fields, because filling them in copies each message once more, object by object.
 */
export function prepareDefinition(definition: CompatServiceDefinition): NamedServiceDefinition {
  const { name, fullName, methods } = isTsProto(definition) ? definition : nameMethods(definition)
  const prepared = Object.entries(methods).map(([key, method]): [string, typeof method] => {
    const whole = method.requestStream && method.responseStream
    const requestType = sendUncopied(method.requestType, whole)
    return [key, { ...method, requestType, responseType: sendUncopied(method.responseType, whole) }]
  })
  return { name, fullName, methods: Object.fromEntries(prepared) }
}

/** The methods of a service as its implementation names them, with their paths on the wire. */
export function methodPathsOf({ fullName, methods }: NamedServiceDefinition): [name: string, path: string][] {
  return Object.entries(methods).map(([key, { name }]) => [key, `/${fullName}/${name}`])
}

function isTsProto(definition: CompatServiceDefinition): definition is TsProtoServiceDefinition {
  return 'fullName' in definition && typeof definition.fullName === 'string'
}

function nameMethods(definition: Exclude<CompatServiceDefinition, TsProtoServiceDefinition>): NamedServiceDefinition {
  const entries = Object.entries(definition as Record<string, AnyMethod>).map(([key, method]) => {
    const [, fullName = '', name = ''] = method.path.split('/')
    const named = {
      name,
      requestType: messageType(
        (value) => method.requestSerialize(value),
        (bytes) => method.requestDeserialize(bytes),
      ),
      requestStream: method.requestStream,
      responseType: messageType(
        (value) => method.responseSerialize(value),
        (bytes) => method.responseDeserialize(bytes),
      ),
      responseStream: method.responseStream,
      // Of grpc-js definitions the options have another shape, without what we ask for.
      options: { ...method.options },
    }
    return { key, fullName, named }
  })
  const fullName = entries[0]?.fullName ?? ''
  const stranger = entries.find((entry) => entry.fullName !== fullName)
  if (stranger !== undefined) {
    throw new Error(`A definition is of one service, but this one has methods of ${fullName} and ${stranger.fullName}.`)
  }
  const methods = Object.fromEntries(entries.map(({ key, named }) => [key, named]))
  return { name: fullName.split('.').at(-1) ?? '', fullName, methods }
}

function messageType(serialize: (value: unknown) => Uint8Array, decode: (bytes: Uint8Array) => unknown): MessageType {
  return { encode: (message) => ({ finish: () => serialize(message) }), decode }
}

/**
 * nice-grpc passes what `finish` returns through Buffer.from, which copies a Uint8Array but only wraps an ArrayBuffer.
 * Generated encoders and large buffers fill their ArrayBuffer exactly; others are copied as before. An encoder must therefore never
 * write again to what it has returned. A streaming method may also give a `LargeMessage`.
 */
function sendUncopied(type: MessageType, whole: boolean): MessageType {
  return {
    decode: (bytes) => type.decode(bytes) as unknown,
    encode: (message) => ({ finish: () => wholeBuffer(encodeShared(type, message)) }),
    ...(!whole && type.fromPartial && { fromPartial: (object) => type.fromPartial?.(object) as unknown }),
  }
}

/**
 * All messages are written by one writer, which keeps its memory: one of its own for each would grow from nothing to the message's length,
 * and V8 marks its whole heap for every 10 MB of such memory.
 */
let shared: BinaryWriter | undefined
const mostSharedBytes = 2 ** 20

function encodeShared(type: MessageType, message: unknown): Uint8Array | LargeMessage {
  const writer = shared ?? new BinaryWriter()
  // What is written meanwhile, or after one that failed, has another one.
  shared = undefined
  const bytes = (type.encode as (message: unknown, writer: BinaryWriter) => Finished)(message, writer).finish()
  if (isLargeMessage(bytes) || bytes.byteLength <= mostSharedBytes) shared = writer
  return bytes
}

interface Finished {
  finish(): Uint8Array | LargeMessage
}

function wholeBuffer(bytes: Uint8Array | LargeMessage): Uint8Array {
  if (isLargeMessage(bytes)) return standInFor(bytes) as unknown as Uint8Array
  const { buffer } = bytes
  const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength
  return isWhole ? (buffer as unknown as Uint8Array) : bytes
}
