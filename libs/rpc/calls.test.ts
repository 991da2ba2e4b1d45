import { mkdtemp } from 'node:fs/promises'
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { credentials, makeGenericClientConstructor, Metadata as GrpcMetadata } from '@grpc/grpc-js'
import { type MethodDefinition, ServerError, type ServiceImplementation, Status } from 'nice-grpc'
import { afterEach, beforeAll, expect, test } from 'vitest'
import {
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
  rpcError,
  type RpcFailure,
  type RpcServer,
  type Security,
  SERVING_STATUS,
} from './index.js'

type Json = Record<string, unknown>

function method<Q extends boolean, R extends boolean>(
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

const echo = {
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
const closers: (() => unknown)[] = []
let meshDir = ''
let schedulerSecurity: Security
let clientSecurity: Security

beforeAll(async () => {
  meshDir = await mkdtemp(join(tmpdir(), 'costate-rpc-'))
  await createMeshSecurity(meshDir)
  schedulerSecurity = await loadSecurity(meshDir, 'scheduler')
  clientSecurity = await loadSecurity(meshDir, 'client')
})

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface Reported {
  error: unknown
  id: string
  path: string
}

async function serve(implementation: Partial<Echo> = {}, options: { maxMessageBytes?: number } = {}) {
  const reported: Reported[] = []
  const onInternalError = (error: unknown, id: string, path: string) => reported.push({ error, id, path })
  const server = createRpcServer({ security: schedulerSecurity, onInternalError, ...options })
  const roles = { ask: EVERYBODY, read: EVERYBODY, list: EVERYBODY, upload: EVERYBODY, chat: EVERYBODY }
  server.add(echo, { ...answerAll, ...implementation }, roles as Record<keyof typeof echo, readonly Role[]>)
  const address = await server.listen('127.0.0.1:0')
  closers.push(() => server.shutdown(0))
  return { server, address, reported }
}

function dial(address: string | readonly string[], security: Security = clientSecurity) {
  const channel = createRpcChannel(address, { security, serverRole: 'scheduler', kind: 'control' })
  closers.push(() => closeRpcChannel(channel))
  return { channel, client: createRpcClient(echo, channel), health: createRpcClient(healthDefinition, channel) }
}

async function failureOf(call: Promise<unknown>): Promise<RpcFailure> {
  return await call.then(
    () => expect.fail('the call succeeded'),
    (error: unknown) => readRpcFailure(error),
  )
}

async function drainStream(stream: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of stream) count += 1
  return count
}

/** Keeps a request stream open for ever. */
async function* endless(): AsyncGenerator<Json> {
  yield { n: 1 }
  await new Promise(() => undefined)
}

function gate() {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { open, opened }
}

test('all four kinds of calls go through', async () => {
  const { client } = dial((await serve()).address)
  await expect(client.ask({ x: 1 })).resolves.toEqual({ x: 1 })
  await expect(drainStream(client.list({ x: 1 }))).resolves.toBe(1)
  const three = async function* () {
    yield* [{ n: 1 }, { n: 2 }, { n: 3 }]
  }
  await expect(client.upload(three())).resolves.toEqual({ count: 3 })
  await expect(drainStream(client.chat(three()))).resolves.toBe(3)
})

test.each([
  ['no token', undefined, 'TOKEN_MISSING'],
  ['garbage', 'Bearer nonsense', 'TOKEN_INVALID'],
  ['another scheme', 'Basic dXNlcjpwdw==', 'TOKEN_MISSING'],
])('a caller with %s is UNAUTHENTICATED on unary calls and streams, with ErrorInfo', async (_, header, reason) => {
  const { address } = await serve()
  const Client = makeGenericClientConstructor({}, '')
  const raw = new Client(address, credentials.createInsecure())
  closers.push(() => raw.close())
  const metadata = new GrpcMetadata()
  if (header !== undefined) metadata.set('authorization', header)
  const identity = (bytes: Buffer) => bytes
  const unary = new Promise((resolve, reject) => {
    raw.makeUnaryRequest(
      '/test.v1.EchoService/Ask',
      identity,
      identity,
      Buffer.from('{}'),
      metadata,
      (error, value) => {
        if (error) reject(error)
        else resolve(value)
      },
    )
  })
  const stream = new Promise((resolve, reject) => {
    raw
      .makeBidiStreamRequest('/test.v1.EchoService/Chat', identity, identity, metadata)
      .on('error', reject)
      .on('end', resolve)
      .resume()
  })
  for (const call of [unary, stream]) {
    await expect(failureOf(call)).resolves.toMatchObject({ code: 'UNAUTHENTICATED', reason })
  }
})

test('a tampered token and a token of another mesh are UNAUTHENTICATED', async () => {
  const { address } = await serve()
  const otherDir = await mkdtemp(join(tmpdir(), 'costate-rpc-'))
  await createMeshSecurity(otherDir)
  const other = await loadSecurity(otherDir, 'client')
  const promoted = clientSecurity.token.replace('.client.', '.admin.')
  for (const token of [other.token, promoted]) {
    const { client } = dial(address, { ...clientSecurity, token })
    await expect(failureOf(client.ask({}))).resolves.toMatchObject({
      code: 'UNAUTHENTICATED',
      reason: 'TOKEN_INVALID',
    })
  }
})

test('a role that is not listed is PERMISSION_DENIED', async () => {
  const { address } = await serve()
  const { client } = dial(address, await loadSecurity(meshDir, 'observer'))
  await expect(failureOf(client.ask({}))).resolves.toMatchObject({
    code: 'PERMISSION_DENIED',
    reason: 'ROLE_NOT_ALLOWED',
    metadata: { role: 'observer', method: '/test.v1.EchoService/Ask' },
  })
})

test('a method without roles is denied to everybody', async () => {
  const { address } = await serve()
  for (const role of ['client', 'admin', 'scheduler'] as const) {
    const { client } = dial(address, await loadSecurity(meshDir, role))
    await expect(failureOf(client.hidden({}))).resolves.toMatchObject({ code: 'PERMISSION_DENIED' })
  }
})

test('the handler sees role and deadline, and never the token', async () => {
  const seen: RpcCallContext[] = []
  const { address } = await serve({
    ask: async (request, context) => {
      seen.push(context)
      return request
    },
  })
  const { client } = dial(address)
  const deadline = new Date(Date.now() + 5_000)
  await client.ask({}, { deadline })
  await client.ask({})
  const [first, second] = seen
  expect(first?.role).toBe('client')
  expect(Math.abs((first?.deadline?.getTime() ?? 0) - deadline.getTime())).toBeLessThan(1_000)
  expect((second?.deadline?.getTime() ?? 0) - Date.now()).toBeGreaterThan(20_000)
  expect([...(first?.metadata ?? [])].map(([key]) => key)).not.toContain('authorization')
})

test('a stream has no deadline unless given one', async () => {
  const deadlines: (Date | undefined)[] = []
  const { address } = await serve({
    async *list(request, { deadline }) {
      deadlines.push(deadline)
      yield request
    },
  })
  const { client } = dial(address)
  await drainStream(client.list({}))
  await drainStream(client.list({}, { deadline: 10_000 }))
  expect(deadlines).toEqual([undefined, expect.any(Date)])
})

test('a call that outlives its deadline is DEADLINE_EXCEEDED and its handler is told', async () => {
  const told = gate()
  const { address } = await serve({
    ask: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          told.open()
          reject(new Error('too late'))
        })
      }),
  })
  const { client } = dial(address)
  await expect(failureOf(client.ask({}, { deadline: 50 }))).resolves.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  await told.opened
})

test('a client that cancels reads CANCELLED and aborts the signal of the handler', async () => {
  const [started, aborted] = [gate(), gate()]
  const { address } = await serve({
    ask: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted.open()
          reject(new Error('nobody listens'))
        })
        started.open()
      }),
  })
  const cancel = new AbortController()
  const call = failureOf(dial(address).client.ask({}, { signal: cancel.signal }))
  await started.opened
  cancel.abort()
  await expect(call).resolves.toMatchObject({ code: 'CANCELLED' })
  await aborted.opened
})

test('a client that resets its upload or dies does not look like one that has finished', async () => {
  const outcomes: Promise<unknown>[] = []
  let arrived = gate()
  const { address } = await serve({
    upload: async (requests, { signal }) => {
      const read = async () => {
        for await (const _ of requests) arrived.open()
        return signal.aborted ? 'aborted' : 'finished'
      }
      outcomes.push(read().catch((error: unknown) => readRpcFailure(error).code))
      return await new Promise<never>(() => undefined)
    },
  })
  const headers = {
    ':method': 'POST',
    ':path': echo.upload.path,
    'content-type': 'application/grpc',
    authorization: `Bearer ${clientSecurity.token}`,
  }
  for (const end of ['reset', 'die'] as const) {
    arrived = gate()
    const session = connect(`http://${address}`)
    const stream = session.request(headers)
    stream.on('error', () => undefined)
    stream.write(Buffer.from([0, 0, 0, 0, 2, ...Buffer.from('{}')]))
    await arrived.opened
    if (end === 'reset') stream.destroy(new Error('reset'))
    else session.destroy()
    await expect(outcomes.at(-1)).resolves.toBe('CANCELLED')
    session.destroy()
  }
})

test('a thrown plain error is INTERNAL with a correlation id and without its text', async () => {
  const boom = new Error('password is hunter2')
  const { address, reported } = await serve({
    ask: () => Promise.reject(boom),
    async *chat() {
      yield {}
      throw boom
    },
  })
  const { client } = dial(address)
  const failures = [await failureOf(client.ask({})), await failureOf(drainStream(client.chat(endless())))]
  failures.forEach((failure, index) => {
    expect(failure).toMatchObject({ code: 'INTERNAL', reason: 'INTERNAL' })
    expect(JSON.stringify(failure)).not.toContain('hunter2')
    expect(reported[index]).toMatchObject({ error: boom, id: failure.metadata['correlationId'] })
  })
  expect(reported.map(({ path }) => path)).toEqual(['/test.v1.EchoService/Ask', '/test.v1.EchoService/Chat'])
})

test('a rich error arrives whole, from unary calls and from streams', async () => {
  const error = rpcError('RESOURCE_EXHAUSTED', 'QUEUE_FULL', 'The queue is full – try later €', {
    metadata: { queue: 'default', limit: '100' },
    retryDelayMs: 1_500,
    fieldViolations: [{ field: 'tasks[3].args', description: 'too many' }],
  })
  const { address } = await serve({
    ask: () => Promise.reject(error),
    upload: () => Promise.reject(error),
    async *list() {
      yield {}
      throw error
    },
  })
  const { client } = dial(address)
  for (const call of [() => client.ask({}), () => client.upload(endless()), () => drainStream(client.list({}))]) {
    await expect(failureOf(call())).resolves.toEqual({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'QUEUE_FULL',
      message: 'The queue is full – try later €',
      metadata: { queue: 'default', limit: '100' },
      retryDelayMs: 1_500,
      fieldViolations: [{ field: 'tasks[3].args', description: 'too many' }],
    })
  }
})

test('an error of any size stays below 8 KiB of trailers', async () => {
  const long = '\ud83d\ude80\ud800 '.repeat(20_000)
  const { address } = await serve({
    ask: () =>
      Promise.reject(
        rpcError('INVALID_ARGUMENT', 'TOO_LONG', long, {
          metadata: Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`key${i}`, long])),
          fieldViolations: Array.from({ length: 200 }, (_, i) => ({ field: `f${i}`, description: long })),
        }),
      ),
    read: () => Promise.reject(new ServerError(Status.INVALID_ARGUMENT, long)),
  })
  const { client } = dial(address)
  for (const call of [client.ask, client.read]) {
    let bytes = 0
    const onTrailer = (trailer: Iterable<[string, (string | Uint8Array)[]]>) => {
      for (const [key, values] of trailer) for (const value of values) bytes += key.length + (value.length * 4) / 3
    }
    const failure = await failureOf(call({}, { onTrailer }))
    expect(failure.code).toBe('INVALID_ARGUMENT')
    expect(failure.reason).toBeDefined()
    expect(failure.message.length).toBeGreaterThan(50)
    expect(bytes + encodeURI(failure.message).length).toBeLessThan(8_000)
  }
})

test('UNKNOWN never leaves a server', async () => {
  const { address } = await serve({ ask: () => Promise.reject(new ServerError(Status.UNKNOWN, 'who knows')) })
  await expect(failureOf(dial(address).client.ask({}))).resolves.toMatchObject({ code: 'INTERNAL' })
})

test('an unknown method is UNIMPLEMENTED with ErrorInfo', async () => {
  const { address } = await serve()
  const { channel } = dial(address)
  const client = createRpcClient({ nope: method('Nope', false, false) }, channel)
  await expect(failureOf(client.nope({}))).resolves.toMatchObject({
    code: 'UNIMPLEMENTED',
    reason: 'UNKNOWN_METHOD',
    metadata: { method: '/test.v1.EchoService/Nope' },
  })
})

test('a malformed message is INVALID_ARGUMENT, and the server lives on', async () => {
  const { address } = await serve()
  const { channel, client } = dial(address)
  const rubbish = { requestSerialize: () => Buffer.from([0xff, 0xfe]) }
  const broken = createRpcClient({ ask: { ...echo.ask, ...rubbish }, chat: { ...echo.chat, ...rubbish } }, channel)
  for (const call of [() => broken.ask({}), () => drainStream(broken.chat(endless()))]) {
    await expect(failureOf(call())).resolves.toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'MALFORMED_MESSAGE' })
  }
  await expect(client.ask({ x: 1 })).resolves.toEqual({ x: 1 })
})

test('a message above the limit is RESOURCE_EXHAUSTED in either direction', async () => {
  const big = { text: 'x'.repeat(2_000) }
  const { address } = await serve({ read: async () => big }, { maxMessageBytes: 1_000 })
  const { client } = dial(address)
  for (const call of [() => client.ask(big), () => client.read({})]) {
    await expect(failureOf(call())).resolves.toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'MESSAGE_TOO_LARGE' })
  }
})

test('an answer that cannot be serialised is INTERNAL and reported', async () => {
  const { address, reported } = await serve({ ask: async () => ({ n: 1n }) })
  await expect(failureOf(dial(address).client.ask({}))).resolves.toMatchObject({ code: 'INTERNAL' })
  expect(reported).toHaveLength(1)
})

test('only idempotent calls are repeated, and only when the server was unavailable', async () => {
  const counts = { ask: 0, read: 0, list: 0 }
  const unavailable = () => rpcError('UNAVAILABLE', 'NO_LEADER', 'no leader yet')
  const { address } = await serve({
    ask: () => Promise.reject((counts.ask++, unavailable())),
    read: (request) => (++counts.read < 3 ? Promise.reject(unavailable()) : Promise.resolve(request)),
    async *list() {
      counts.list += 1
      throw unavailable()
    },
  })
  const { client } = dial(address)
  await expect(failureOf(client.ask({}))).resolves.toMatchObject({ code: 'UNAVAILABLE' })
  await expect(client.read({ x: 1 })).resolves.toEqual({ x: 1 })
  await expect(failureOf(drainStream(client.list({})))).resolves.toMatchObject({ code: 'UNAVAILABLE' })
  expect(counts).toEqual({ ask: 1, read: 3, list: 1 })
})

test('a list of addresses reaches the first server that answers', async () => {
  const gone = await serve()
  await gone.server.shutdown(0)
  const { address } = await serve()
  const { client } = dial([gone.address, address.replace('127.0.0.1', 'localhost')])
  await expect(client.ask({ x: 1 })).resolves.toEqual({ x: 1 })
})

test('the order of a list decides, not which name is looked up first', async () => {
  const [first, second] = [await serve({ ask: async () => ({ n: 1 }) }), await serve({ ask: async () => ({ n: 2 }) })]
  const byName = first.address.replace('127.0.0.1', 'localhost')
  await expect(dial([byName, second.address]).client.ask({})).resolves.toEqual({ n: 1 })
  await expect(dial([second.address, byName]).client.ask({})).resolves.toEqual({ n: 2 })
})

test('a server that is not there is UNAVAILABLE', async () => {
  const gone = await serve()
  await gone.server.shutdown(0)
  await expect(failureOf(dial(gone.address).client.ask({}))).resolves.toMatchObject({ code: 'UNAVAILABLE' })
})

test('shutdown ends an endless stream with UNAVAILABLE, whether or not its handler listens', async () => {
  const stubborn = new Promise<never>(() => undefined)
  const started = [gate(), gate(), gate()]
  const { server, address } = await serve({
    // Waits for the client, which never says more.
    async *chat(requests) {
      for await (const request of requests) {
        yield request
        started[0]?.open()
      }
    },
    // Returns in order when told.
    async *list(_, { signal }) {
      yield {}
      started[1]?.open()
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    },
    // Hears nothing.
    upload: async () => {
      started[2]?.open()
      return await stubborn
    },
  })
  const { client } = dial(address)
  const calls = [drainStream(client.chat(endless())), drainStream(client.list({})), client.upload(endless())]
  const failures = calls.map(failureOf)
  await Promise.all(started.map(({ opened }) => opened))
  await server.shutdown(100)
  for (const failure of failures) {
    await expect(failure).resolves.toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'SHUTTING_DOWN',
      retryDelayMs: 1_000,
    })
  }
})

test('shutdown lets a running unary call finish and refuses new ones with a hint when to retry', async () => {
  const [started, finish] = [gate(), gate()]
  const { server, address } = await serve({
    ask: async (request) => {
      started.open()
      await finish.opened
      return request
    },
  })
  const { client, health } = dial(address)
  const running = client.ask({ x: 1 })
  await started.opened
  const ended = server.shutdown(10_000)
  await expect(failureOf(client.list({})[Symbol.asyncIterator]().next())).resolves.toMatchObject({
    code: 'UNAVAILABLE',
    reason: 'SHUTTING_DOWN',
    retryDelayMs: 1_000,
  })
  await expect(health.check({ service: '' })).resolves.toEqual({ status: SERVING_STATUS.notServing })
  finish.open()
  await expect(running).resolves.toEqual({ x: 1 })
  await ended
})

test('health needs no token, covers the server and each service, and can be watched', async () => {
  const { server, address } = await serve()
  const { health } = dial(address, { ...clientSecurity, token: 'none' })
  await expect(health.check({ service: '' })).resolves.toEqual({ status: SERVING_STATUS.notServing })
  const watch = health.watch({ service: 'test.v1.EchoService' })[Symbol.asyncIterator]()
  await expect(watch.next()).resolves.toMatchObject({ value: { status: SERVING_STATUS.notServing } })
  server.setServing(true)
  await expect(watch.next()).resolves.toMatchObject({ value: { status: SERVING_STATUS.serving } })
  await expect(health.check({ service: '' })).resolves.toEqual({ status: SERVING_STATUS.serving })
  await expect(failureOf(health.check({ service: 'nope' }))).resolves.toMatchObject({ code: 'NOT_FOUND' })
  const unknown = health.watch({ service: 'nope' })[Symbol.asyncIterator]()
  await expect(unknown.next()).resolves.toMatchObject({ value: { status: SERVING_STATUS.serviceUnknown } })
  const last = watch.next()
  const ended = server.shutdown(1_000)
  await expect(last).resolves.toMatchObject({ value: { status: SERVING_STATUS.notServing } })
  await expect(failureOf(watch.next())).resolves.toMatchObject({ code: 'UNAVAILABLE' })
  await ended
})

test('a server refuses to listen off loopback without TLS, and a client to dial', async () => {
  const server = createRpcServer({ security: schedulerSecurity })
  await expect(server.listen('0.0.0.0:0')).rejects.toThrow(/without TLS.*createMeshSecurity/s)
  expect(() => dial('compute-7.cluster:4000')).toThrow(/without TLS/)
  expect(() => dial(['127.0.0.1:1', 'compute-7.cluster:4000'])).toThrow(/compute-7.cluster:4000/)
})

test('a port in use is named, with advice', async () => {
  const { address } = await serve()
  const second: RpcServer = createRpcServer({ security: schedulerSecurity })
  await expect(second.listen(address)).rejects.toThrow(`${address} is in use by another process. Stop that process`)
  await expect(second.listen('127.0.0.1')).rejects.toThrow("'127.0.0.1' is no address")
})
