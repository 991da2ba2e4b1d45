import { createServer } from 'node:net'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { trace } from '@opentelemetry/api'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest'

import { activeTelemetry } from './active-telemetry.js'
import { startServiceTelemetry } from './service-telemetry.js'
import { recordSpan, withSpan } from './spans.js'
import { startTelemetry } from './telemetry.js'
import { readRunSpans } from './trace-file.js'
import { injectTrace } from './trace-carrier.js'
import { makeRunDir, recordRun } from './trace-run.fixture.js'

let warn: MockInstance<typeof process.emitWarning>

beforeEach(() => {
  warn = vi.spyOn(process, 'emitWarning').mockReturnValue()
})

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  trace.disable()
})

test('a process writes its own file, one request per line, and says who it is', async () => {
  vi.stubEnv('SLURM_JOB_ID', '4711')
  vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'k8s.pod.name=pod-1,service.name=somebody')
  const runDir = await makeRunDir()
  await recordRun(() => withSpan('run', {}, () => undefined), { runDir, instanceId: 'node/17:1' })
  const [line, rest] = (await readFile(join(runDir, 'traces', 'worker-node_17_1.otlp.jsonl'), 'utf8')).split('\n')
  expect(rest).toBe('')
  const { attributes } = (JSON.parse(line!) as { resourceSpans: [{ resource: { attributes: unknown[] } }] })
    .resourceSpans[0].resource
  for (const [key, stringValue] of Object.entries({
    'service.name': 'worker',
    'service.namespace': 'costate',
    'service.instance.id': 'node/17:1',
    'slurm.job.id': '4711',
    'k8s.pod.name': 'pod-1',
  })) {
    expect(attributes).toContainEqual({ key, value: { stringValue } })
  }
})

test('a service says who it is, its environment where its spans go', async () => {
  const runDir = await makeRunDir()
  vi.stubEnv('COSTATE_INSTANCE', 'store-1')
  vi.stubEnv('COSTATE_RUN_DIR', runDir)
  startServiceTelemetry('checkpoint-store')
  trace.getTracer('user').startSpan('checkpoint save').end()
  await activeTelemetry()!.shutdown()
  expect(await readRunSpans(runDir)).toMatchObject([
    { name: 'checkpoint save', service: 'checkpoint-store', instanceId: 'store-1' },
  ])
})

test('a provider that the user has registered keeps all that is its own', async () => {
  const theirs = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(theirs)] })
  trace.setGlobalTracerProvider(provider)
  const { spans } = await recordRun(
    () => {
      trace.getTracer('user').startActiveSpan('theirs', (span) => {
        withSpan('submit', {}, () => undefined)
        span.end()
      })
    },
    { registerGlobally: true },
  )
  trace.getTracer('user').startSpan('after').end()
  expect(theirs.getFinishedSpans().map(({ name }) => name)).toEqual(['theirs', 'after'])
  expect(spans.map(({ name }) => name)).toEqual(['submit'])
  expect(spans[0]!.parentSpanId).toBe(theirs.getFinishedSpans()[0]!.spanContext().spanId)
})

test('in a client process the user can still register a provider after us', async () => {
  await recordRun(() => {
    expect(trace.setGlobalTracerProvider(new BasicTracerProvider())).toBe(true)
  })
})

test('in a process of ours spans of user code are kept too, until shutdown', async () => {
  const { spans } = await recordRun(() => trace.getTracer('user').startSpan('factorise').end(), {
    registerGlobally: true,
  })
  expect(spans.map(({ name }) => name)).toEqual(['factorise'])
  expect(trace.getTracer('user').startSpan('later').isRecording()).toBe(false)
})

test('OTEL_TRACES_SAMPLER decides for new traces and never for a parent that is unsampled', async () => {
  const parent = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' }
  const start = (): void => {
    withSpan('new', {}, () => undefined)
    withSpan('below', { parent }, () => undefined)
  }
  vi.stubEnv('OTEL_TRACES_SAMPLER', 'always_on')
  expect((await recordRun(start)).spans.map(({ name }) => name)).toEqual(['new'])
  vi.stubEnv('OTEL_TRACES_SAMPLER', 'traceidratio')
  vi.stubEnv('OTEL_TRACES_SAMPLER_ARG', '0')
  expect((await recordRun(start)).spans).toEqual([])
})

test('a run folder that cannot be written costs the spans and is counted', async () => {
  const runDir = await makeRunDir()
  await writeFile(join(runDir, 'traces'), 'a file where the folder should be')
  const telemetry = startTelemetry({ service: 'worker', instanceId: 'w-1', runDir })
  withSpan('run', {}, () => undefined)
  await telemetry.flush()
  expect(telemetry.counts()).toEqual({ ended: 1, exported: 0, failed: 1, dropped: 0 })
  expect(warn.mock.calls.map(([message]) => message)).toEqual([expect.stringContaining('spans are lost: writing to')])
  await telemetry.shutdown()
})

test('a flood beyond the queue is dropped and counted, to the span', async () => {
  const telemetry = startTelemetry({ service: 'worker', instanceId: 'w-1', runDir: await makeRunDir() })
  withSpan('submit', {}, () => {
    for (let i = 0; i < 10_000; i += 1) recordSpan({ name: 'run', parent: injectTrace(), startMs: i, endMs: i + 1 })
  })
  await telemetry.flush()
  expect(telemetry.counts()).toEqual({ ended: 10_001, exported: 8192, failed: 0, dropped: 10_001 - 8192 })
  await telemetry.shutdown()
})

test('the newest telemetry is active, and after its shutdown the one before it', async () => {
  const first = startTelemetry({ service: 'client', instanceId: 'a' })
  const second = startTelemetry({ service: 'client', instanceId: 'b' })
  expect(activeTelemetry()).toBe(second)
  await Promise.all([second.shutdown(), second.shutdown()])
  expect(activeTelemetry()).toBe(first)
  await first.shutdown()
  expect(activeTelemetry()).toBeUndefined()
})

test('without a place to write a trace still begins here and is passed on', async () => {
  const telemetry = startTelemetry({ service: 'client', instanceId: 'c-1' })
  expect(withSpan('submit', {}, () => injectTrace())['traceparent']).toMatch(/-01$/)
  await telemetry.shutdown()
})

test('with a collector the spans go there over gRPC, and not to the run folder', async () => {
  const requests: Buffer[] = []
  const collector = new Server()
  const identity = (bytes: Buffer): Buffer => bytes
  collector.addService(
    {
      export: {
        path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
        requestStream: false,
        responseStream: false,
        requestSerialize: identity,
        requestDeserialize: identity,
        responseSerialize: identity,
        responseDeserialize: identity,
      },
    },
    {
      export: (call: { request: Buffer }, answer: (error: null, reply: Buffer) => void) => {
        requests.push(call.request)
        answer(null, Buffer.alloc(0))
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) => {
    collector.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  const { spans } = await recordRun(() => withSpan('submit sweep', {}, () => undefined), {
    otlpEndpoint: `http://127.0.0.1:${port}`,
  })
  collector.forceShutdown()
  expect(spans).toEqual([])
  expect(Buffer.concat(requests).includes('submit sweep')).toBe(true)
})

test('a collector that is away or never answers neither throws nor holds up the end', async () => {
  const silent = createServer(() => undefined)
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as { port: number }
  for (const otlpEndpoint of ['http://127.0.0.1:1', `http://127.0.0.1:${port}`, 'no address at all']) {
    const telemetry = startTelemetry({ service: 'worker', instanceId: 'w-1', otlpEndpoint })
    withSpan('run', {}, () => undefined)
    await telemetry.shutdown(300)
    expect(telemetry.counts().exported).toBe(0)
  }
  silent.close()
})

test('a collector that is asked for over HTTP is refused with advice, and the run folder is used', async () => {
  vi.stubEnv('OTEL_EXPORTER_OTLP_PROTOCOL', 'http/protobuf')
  const { spans } = await recordRun(() => withSpan('run', {}, () => undefined), {
    otlpEndpoint: 'http://127.0.0.1:4318',
  })
  expect(spans).toHaveLength(1)
  expect(warn.mock.calls[0]![0]).toContain('set the protocol to grpc')
})
