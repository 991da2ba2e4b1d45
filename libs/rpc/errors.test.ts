import { ServerError, Status } from 'nice-grpc-common'
import { afterEach, expect, test } from 'vitest'
import { createEchoMesh, drainStream, echo, endless, failureOf, method } from './echo-mesh.fixture.js'
import { createRpcClient, rpcError } from './index.js'

const { serve, dial, closeAll } = await createEchoMesh()

afterEach(closeAll)

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
