import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { build } from 'esbuild'
import { afterEach, expect, test } from 'vitest'

import { withSpan } from '../spans.js'
import { acceptThreadLine } from '../thread-spans.js'
import { injectTrace, unsampled, withTaskTrace } from '../trace-carrier.js'
import { recordRun } from '../trace-run.fixture.js'
import { registerThreadTelemetry } from './thread-telemetry.js'

afterEach(() => trace.disable())

const carrier = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }

test('spans of user code in a real thread end up in the trace of their task', async () => {
  const code = (await bundleForThread(new URL('./index.ts', import.meta.url))) + taskCode
  const { named } = await recordRun(async () => {
    const run = withSpan('run', {}, () => injectTrace())
    const thread = new Worker(code, { eval: true, workerData: run })
    const activeSpanId = await new Promise((resolve, reject) => {
      thread.once('error', reject)
      thread.on('message', (message: { line?: string; activeSpanId?: string }) => {
        if (message.line === undefined) resolve(message.activeSpanId)
        else acceptThreadLine(message.line)
      })
    })
    expect(activeSpanId).toBe(run['traceparent']!.split('-')[2])
    await thread.terminate()
  })
  expect(named('factorise')).toMatchObject({
    service: 'worker',
    parentSpanId: named('run')!.spanId,
    attributes: { size: 3 },
  })
  expect(named('pivot')?.parentSpanId).toBe(named('factorise')!.spanId)
})

// A thread cannot load TypeScript: the sources become one script, the packages stay what they are.
async function bundleForThread(entry: URL): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    packages: 'external',
    define: { 'import.meta.url': JSON.stringify(entry.href) },
  })
  return outputFiles[0]!.text
}

const taskCode = `
{
  const { parentPort, workerData: carrier } = require('node:worker_threads')
  const { trace } = require('@opentelemetry/api')
  const { registerThreadTelemetry, withTaskTrace } = module.exports
  registerThreadTelemetry((line) => parentPort.postMessage({ line }))
  withTaskTrace(carrier, async () => {
    await null
    const tracer = trace.getTracer('user')
    tracer.startActiveSpan('factorise', { attributes: { size: 3 } }, (span) => {
      tracer.startSpan('pivot').end()
      span.end()
    })
    parentPort.postMessage({ activeSpanId: trace.getActiveSpan().spanContext().spanId })
  })
}
`

test('all that a span says crosses to the main side', async () => {
  const lines: string[] = []
  registerThreadTelemetry((line) => lines.push(line))
  withTaskTrace(carrier, () => {
    const span = trace.getTracer('user').startSpan('solve', {
      kind: SpanKind.CLIENT,
      startTime: [1_700_000_000, 5_000],
      links: [{ context: { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), traceFlags: 1 } }],
    })
    span.setAttributes({ residual: 1e-9, orders: [1, 2] })
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'diverged' })
    span.end([1_700_000_001, 0])
  })
  const { named } = await recordRun(() => lines.forEach(acceptThreadLine))
  expect(named('solve')).toEqual({
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: expect.any(String) as string,
    parentSpanId: 'b7ad6b7169203331',
    name: 'solve',
    service: 'worker',
    instanceId: 'w-1',
    startMs: 1_700_000_000_000.005,
    endMs: 1_700_000_001_000,
    attributes: { residual: 1e-9, orders: '[1,2]' },
    links: [{ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) }],
    error: 'diverged',
  })
})

test('a task without a trace, or with an unsampled one, posts nothing', () => {
  const lines: string[] = []
  registerThreadTelemetry((line) => lines.push(line))
  for (const quiet of [{}, unsampled(carrier)]) {
    withTaskTrace(quiet, () => {
      trace.getTracer('user').startActiveSpan('outer', (span) => {
        trace.getTracer('user').startSpan('inner').end()
        span.end()
      })
    })
  }
  expect(lines).toEqual([])
})

test('a flood of user spans is cut, and a main side that is gone does not hurt the task', () => {
  let posted = 0
  registerThreadTelemetry(
    () => {
      posted += 1
      throw new Error('port closed')
    },
    { spansPerSecond: 10 },
  )
  withTaskTrace(carrier, () => {
    for (let i = 0; i < 1000; i += 1) trace.getTracer('user').startSpan('step').end()
  })
  expect(posted).toBeGreaterThanOrEqual(10)
  expect(posted).toBeLessThan(100)
})

test('startActiveSpan takes all three forms', () => {
  const lines: string[] = []
  registerThreadTelemetry((line) => lines.push(line))
  const tracer = trace.getTracer('user')
  withTaskTrace(carrier, () => {
    const inside = context.active()
    const end = (span: { end(): void }): boolean => {
      const active = trace.getActiveSpan() === span
      span.end()
      return active
    }
    expect(tracer.startActiveSpan('a', end)).toBe(true)
    expect(tracer.startActiveSpan('b', {}, end)).toBe(true)
    expect(tracer.startActiveSpan('c', {}, inside, end)).toBe(true)
  })
  expect(lines).toHaveLength(3)
})

test('what is no span in a line from a thread is left out', async () => {
  const { spans } = await recordRun(() => {
    for (const line of ['', 'garbage', '{}', '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":1}]}]}]}'])
      acceptThreadLine(line)
  })
  expect(spans).toEqual([])
  expect(() => acceptThreadLine('{}')).not.toThrow()
})
