import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MethodDefinition } from 'nice-grpc'
import {
  type AddressSource,
  closeRpcChannel,
  createMeshSecurity,
  createRpcChannel,
  createRpcClient,
  createRpcServer,
  healthDefinition,
  loadSecurity,
  readRpcFailure,
  type Role,
  type RpcCallContext,
  type RpcFailure,
  type Security,
  type ServiceImplementation,
} from './index.js'

type Json = Record<string, unknown>

/** A JSON method of the test service. */
export function method<Q extends boolean, R extends boolean>(
  name: string,
  requestStream: Q,
  responseStream: R,
  options: MethodDefinition<Json, Json, Json, Json>['options'] = {},
): MethodDefinition<Json, Json, Json, Json, Q, R> {
  const serialize = (value: Json) => Buffer.from(JSON.stringify(value))
  const deserialize = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as Json
  return {
    path: `/test.v1.EchoService/${name}`,
    requestStream,
    responseStream,
    requestSerialize: serialize,
    requestDeserialize: deserialize,
    responseSerialize: serialize,
    responseDeserialize: deserialize,
    options,
  }
}

/** One method of each kind, one idempotent, and one that nobody may call. */
export const echo = {
  ask: method('Ask', false, false),
  read: method('Read', false, false, { idempotencyLevel: 'NO_SIDE_EFFECTS' }),
  list: method('List', false, true),
  upload: method('Upload', true, false),
  chat: method('Chat', true, true),
  hidden: method('Hidden', false, false),
} as const

type Echo = ServiceImplementation<typeof echo, RpcCallContext>

const answerAll: Echo = {
  ask: async (request) => request,
  read: async (request) => request,
  async *list(request) {
    yield request
  },
  upload: async (requests) => {
    let count = 0
    for await (const _ of requests) count += 1
    return { count }
  },
  async *chat(requests) {
    yield* requests
  },
  hidden: async (request) => request,
}

const EVERYBODY: readonly Role[] = ['client', 'worker', 'admin']

interface Reported {
  readonly error: unknown
  readonly id: string
  readonly path: string
}

/** A mesh of its own for a test file: servers of the echo service and clients to dial them, on real sockets. */
export async function createEchoMesh() {
  const meshDir = await mkdtemp(join(tmpdir(), 'costate-rpc-'))
  await createMeshSecurity(meshDir)
  const load = (role: Role) => loadSecurity(meshDir, role)
  const [schedulerSecurity, clientSecurity] = [await load('scheduler'), await load('client')]
  const closers: (() => unknown)[] = []
  return {
    load,
    schedulerSecurity,
    clientSecurity,
    serve: async (implementation: Partial<Echo> = {}, options: { maxMessageBytes?: number } = {}) => {
      const reported: Reported[] = []
      const onInternalError = (error: unknown, id: string, path: string) => reported.push({ error, id, path })
      const server = createRpcServer({ security: schedulerSecurity, onInternalError, ...options })
      const roles = { ask: EVERYBODY, read: EVERYBODY, list: EVERYBODY, upload: EVERYBODY, chat: EVERYBODY }
      server.add(echo, { ...answerAll, ...implementation }, roles as Record<keyof typeof echo, readonly Role[]>)
      const address = await server.listen('127.0.0.1:0')
      closers.push(() => server.shutdown(0))
      return { server, address, reported }
    },
    dial: (address: string | readonly string[] | AddressSource, security: Security = clientSecurity) => {
      const channel = createRpcChannel(address, { security, serverRole: 'scheduler', kind: 'control' })
      closers.push(() => closeRpcChannel(channel))
      return { channel, client: createRpcClient(echo, channel), health: createRpcClient(healthDefinition, channel) }
    },
    /** Closes what was opened since the last time, newest first. */
    closeAll: async () => {
      for (const close of closers.splice(0).reverse()) await close()
    },
  }
}

/** How a call failed; throws when it did not. */
export async function failureOf(call: Promise<unknown>): Promise<RpcFailure> {
  const failure = await call.then(() => undefined, readRpcFailure)
  if (failure === undefined) throw new Error('The call succeeded')
  return failure
}

/** Reads a stream to its end and counts. */
export async function drainStream(stream: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of stream) count += 1
  return count
}

/** Keeps a request stream open for ever. */
export async function* endless(): AsyncGenerator<Json> {
  yield { n: 1 }
  await new Promise(() => undefined)
}

/** A promise that a test opens: tests wait for what happened, not for time. */
export function gate() {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { open, opened }
}
