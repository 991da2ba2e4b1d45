import { readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { loadSync, type MessageTypeDefinition, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader'

import { packageRoot } from './local-mesh.js'

/** A method as its .proto file declares it. */
export type ContractMethod = MethodDefinition<object, object>

/** A message as plain data: fields by the names of the .proto file, 64-bit integers as text, enums by name. */
export type Message = Readonly<Record<string, unknown>>

const contracts = path.join(packageRoot, 'proto')
const standards = fileURLToPath(new URL('proto', import.meta.url))

/** The raw .proto files, read as any dynamic client would: no generated code, and names as they are spelled there. */
const loaded = loadSync([...protoFilesIn(path.join(contracts, 'costate')), ...protoFilesIn(standards)], {
  includeDirs: [contracts, standards],
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
})

/** The services of the contracts, by their full names. */
export const contractServices: ReadonlyMap<string, ServiceDefinition> = new Map(
  Object.entries(loaded).filter(
    (entry): entry is [string, ServiceDefinition] => !('format' in entry[1]) && entry[0].startsWith('costate.'),
  ),
)

/** A method by its path on the wire, such as `costate.scheduler.v1.SchedulerService/GetJob`. */
export function findMethod(fullName: string): ContractMethod {
  const [service = '', method = ''] = fullName.split('/')
  const found = (loaded[service] as ServiceDefinition | undefined)?.[method]
  if (found === undefined) throw new Error(`no .proto file declares ${fullName}`)
  return found
}

/** The bytes of a message of this full name. */
export function encodeMessage(type: string, message: Message): Buffer {
  return messageType(type).serialize(message)
}

/** The message of this full name that the bytes hold. */
export function decodeMessage(type: string, bytes: Buffer): Message {
  return messageType(type).deserialize(bytes) as Message
}

function messageType(type: string): MessageTypeDefinition<object, object> {
  const found = loaded[type]
  if (found === undefined || !('serialize' in found)) throw new Error(`no .proto file declares the message ${type}`)
  return found as MessageTypeDefinition<object, object>
}

function protoFilesIn(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names.filter((name) => name.endsWith('.proto')).map((name) => path.join(folder, name))
}
