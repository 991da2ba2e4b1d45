import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SpanKind, SpanStatusCode, context, propagation, trace } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  closeRpcChannel,
  createMeshSecurity,
  createRpcChannel,
  createRpcClient,
  createRpcServer,
  healthDefinition,
  loadSecurity,
  rpcError,
} from './index.js'

const identity = (bytes: Uint8Array) => bytes
const codec = {
  requestSerialize: identity,
  requestDeserialize: identity,
  responseSerialize: identity,
  responseDeserialize: identity,
  options: {},
}
const spannedDefinition = {
  ask: { ...codec, path: '/test.v1.SpanService/Ask', requestStream: false, responseStream: false },
  refuse: { ...codec, path: '/test.v1.SpanService/Refuse', requestStream: false, responseStream: false },
  fail: { ...codec, path: '/test.v1.SpanService/Fail', requestStream: false, responseStream: false },
  list: { ...codec, path: '/test.v1.SpanService/List', requestStream: false, responseStream: true },
} as const

const exporter = new InMemorySpanExporter()
const closers: (() => unknown)[] = []
const traceIdsInHandlers: (string | undefined)[] = []
let connect: () => Promise<ReturnType<typeof createClients>>

function createClients(channel: ReturnType<typeof createRpcChannel>) {
  return { client: createRpcClient(spannedDefinition, channel), health: createRpcClient(healthDefinition, channel) }
}

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
  const folder = await mkdtemp(join(tmpdir(), 'costate-tracing-'))
  await createMeshSecurity(folder)
  const security = await loadSecurity(folder, 'scheduler')
  const server = createRpcServer({ security, onInternalError: () => undefined })
  const note = () => traceIdsInHandlers.push(trace.getActiveSpan()?.spanContext().traceId)
  server.add(
    spannedDefinition,
    {
      ask: async (request) => {
        note()
        return request
      },
      refuse: () => Promise.reject(rpcError('NOT_FOUND', 'NO_SUCH_JOB', 'no such job')),
      fail: () => Promise.reject(new Error('bug')),
      async *list(request) {
        note()
        yield request
      },
    },
    { ask: ['scheduler'], refuse: ['scheduler'], fail: ['scheduler'], list: ['scheduler'] },
  )
  const address = await server.listen('127.0.0.1:0')
  closers.push(() => server.shutdown(0))
  connect = async () => {
    const channel = createRpcChannel(address, { security, serverRole: 'scheduler', kind: 'control' })
    closers.push(() => closeRpcChannel(channel))
    return createClients(channel)
  }
})

beforeEach(() => {
  exporter.reset()
  traceIdsInHandlers.length = 0
})

afterAll(async () => {
  for (const close of closers.reverse()) await close()
  trace.disable()
  context.disable()
  propagation.disable()
})

function spanOf(kind: SpanKind): ReadableSpan {
  const found = exporter.getFinishedSpans().filter((span) => span.kind === kind)
  expect(found).toHaveLength(1)
  return found[0] ?? expect.fail('no span')
}

test('a unary call is a client span with the server span below it, in the trace of the caller', async () => {
  const { client } = await connect()
  await trace.getTracer('test').startActiveSpan('caller', async (caller) => {
    await client.ask(Buffer.alloc(1))
    caller.end()
    const [clientSpan, serverSpan] = [spanOf(SpanKind.CLIENT), spanOf(SpanKind.SERVER)]
    expect(clientSpan.parentSpanContext?.spanId).toBe(caller.spanContext().spanId)
    expect(serverSpan.parentSpanContext?.spanId).toBe(clientSpan.spanContext().spanId)
    expect(traceIdsInHandlers).toEqual([caller.spanContext().traceId])
    for (const span of [clientSpan, serverSpan]) {
      expect(span.name).toBe('test.v1.SpanService/Ask')
      expect(span.attributes).toMatchObject({
        'rpc.system.name': 'grpc',
        'rpc.method': 'test.v1.SpanService/Ask',
        'rpc.status_code': 'OK',
      })
    }
    expect(clientSpan.attributes['server.address']).toBe('127.0.0.1')
    expect(clientSpan.attributes['server.port']).toBeTypeOf('number')
  })
})

test('a refusal is an error for the client only, a bug for both', async () => {
  const { client } = await connect()
  await expect(client.refuse(Buffer.alloc(1))).rejects.toThrow()
  expect(spanOf(SpanKind.CLIENT).status.code).toBe(SpanStatusCode.ERROR)
  expect(spanOf(SpanKind.CLIENT).attributes).toMatchObject({
    'rpc.status_code': 'NOT_FOUND',
    'error.type': 'NO_SUCH_JOB',
  })
  expect(spanOf(SpanKind.SERVER).status.code).toBe(SpanStatusCode.UNSET)
  expect(spanOf(SpanKind.SERVER).attributes).toMatchObject({ 'rpc.status_code': 'NOT_FOUND' })
  exporter.reset()
  await expect(client.fail(Buffer.alloc(1))).rejects.toThrow()
  expect(spanOf(SpanKind.CLIENT).status.code).toBe(SpanStatusCode.ERROR)
  expect(spanOf(SpanKind.SERVER).status.code).toBe(SpanStatusCode.ERROR)
})

test('streams and health checks have no span, and a stream carries no context', async () => {
  const { client, health } = await connect()
  await trace.getTracer('test').startActiveSpan('caller', async (caller) => {
    for await (const _ of client.list(Buffer.alloc(1)));
    await health.check({ service: '' })
    caller.end()
  })
  expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['caller'])
  expect(traceIdsInHandlers).toEqual([undefined])
})
