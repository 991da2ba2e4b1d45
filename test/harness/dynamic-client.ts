import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { Client, type ClientDuplexStream, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'

import { waitForAddress } from '#libs/lifecycle'

import { decodeMessage, findMethod, type Message } from './contract.js'

/** What a dynamic client learns of an error: all of it comes from the status and its details on the wire. */
export interface RichError {
  /** The canonical code by name. */
  readonly code: string
  readonly message: string
  readonly reason?: string
  readonly domain?: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly fieldViolations?: readonly { readonly field: string; readonly description: string }[]
}

/** A stream of messages in both directions. */
export interface Conversation {
  say(message: Message): void
  /** The next message that holds this field. Rejects with a RichError when the server ends the stream before. */
  hear(field: string): Promise<Message>
  /** How the server ended the stream. */
  ended: Promise<RichError>
  end(): void
  cancel(): void
}

/** A client that knows nothing but the .proto files, an address and a token. */
export interface DynamicClient {
  /** Calls a unary method by its full name. Rejects with a RichError. */
  call(method: string, request?: Message): Promise<Message>
  /** The same with bytes in the place of the request. */
  callRaw(path: string, request: Buffer): Promise<Buffer>
  converse(method: string): Conversation
  close(): void
}

const deadlineMs = 20_000

/** Reads the token of a role from the folder of a mesh. */
export async function readToken(meshDir: string, role: string): Promise<string> {
  return (await readFile(path.join(meshDir, 'tokens', role), 'utf8')).trim()
}

/** The first address that a service writes into the folder of its mesh; a cluster is there before all of its services are. */
export async function readServiceAddress(
  meshDir: string,
  service: 'scheduler' | 'checkpointStore' | 'slurm-provisioner',
): Promise<string> {
  const { addresses } = await waitForAddress(meshDir, service, AbortSignal.timeout(deadlineMs))
  return addresses[0] ?? ''
}

/** A client for the server at this address, with or without a token. */
export function createDynamicClient(address: string, token?: string): DynamicClient {
  const client = new Client(address, credentials.createInsecure())
  const metadata = new Metadata()
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`)

  const callRaw = (wirePath: string, request: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const bytes = (value: Buffer): Buffer => value
      const options = { deadline: Date.now() + deadlineMs }
      client.makeUnaryRequest(wirePath, bytes, bytes, request, metadata, options, (error, response) => {
        if (error) reject(asError(richErrorOf(error)))
        else resolve(response as Buffer)
      })
    })

  return {
    callRaw,
    call: async (name, request = {}) => {
      const method = findMethod(name)
      return method.responseDeserialize(await callRaw(method.path, method.requestSerialize(request))) as Message
    },
    converse: (name) => {
      const { path: wirePath, requestSerialize, responseDeserialize } = findMethod(name)
      return conversationOn(client.makeBidiStreamRequest(wirePath, requestSerialize, responseDeserialize, metadata))
    },
    close: () => client.close(),
  }
}

function conversationOn(stream: ClientDuplexStream<object, object>): Conversation {
  const heard: Message[] = []
  let wake: () => void = () => undefined
  let end: RichError | undefined
  const ended = new Promise<RichError>((resolve) => {
    const settle = (error: RichError): void => {
      end ??= error
      resolve(end)
      wake()
    }
    stream.on('data', (message: Message) => {
      heard.push(message)
      wake()
    })
    stream.on('error', (error: ServiceError) => settle(richErrorOf(error)))
    stream.on('status', ({ code, details }: ServiceError) => {
      if (code === status.OK) settle({ code: 'OK', message: details })
    })
  })
  return {
    ended,
    say: (message) => void stream.write(message),
    hear: async (field) => {
      for (;;) {
        const index = heard.findIndex((message) => message[field] != null)
        if (index >= 0) return heard.splice(index, 1)[0]?.[field] as Message
        if (end) throw asError(end)
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
    end: () => stream.end(),
    cancel: () => stream.cancel(),
  }
}

/** Reads `google.rpc.Status` out of the trailer, as any client in any language can. */
function richErrorOf({ code, details, metadata }: ServiceError): RichError {
  const plain = { code: status[code], message: details }
  const [bytes] = metadata.get('grpc-status-details-bin')
  if (!Buffer.isBuffer(bytes)) return plain
  const rich = decodeMessage('google.rpc.Status', bytes) as {
    message: string
    details: { type_url: string; value: Buffer }[]
  }
  const find = (type: string): Message | undefined => {
    const any = rich.details.find(({ type_url }) => type_url === `type.googleapis.com/${type}`)
    return any && decodeMessage(type, any.value)
  }
  const { reason, domain, metadata: about } = (find('google.rpc.ErrorInfo') ?? {}) as Partial<RichError>
  const violations = find('google.rpc.BadRequest')?.['field_violations'] as RichError['fieldViolations']
  return {
    ...plain,
    ...(reason === undefined ? {} : { reason, domain: domain ?? '', metadata: about ?? {} }),
    ...(violations === undefined ? {} : { fieldViolations: violations }),
  }
}

function asError(error: RichError): Error {
  return Object.assign(new Error(error.message), error)
}
