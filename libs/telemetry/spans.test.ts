import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import { expect, test } from 'vitest'

import { carrierOf, extractTrace, injectTrace, type TraceCarrier, unsampled } from './trace-carrier.js'
import { recordRun } from './trace-run.fixture.js'
import { recordSpan, startSpan, withSpan } from './spans.js'

const sampled = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }

test('a span that is recorded afterwards has the times it was given, and its children hang below it', async () => {
  const { named } = await recordRun(() => {
    const queue = recordSpan({
      name: 'queue',
      parent: sampled,
      startMs: 1_700_000_000_000.25,
      endMs: 1_700_000_000_012.5,
    })
    recordSpan({ name: 'run', parent: queue, startMs: 5, endMs: 7.125, kind: SpanKind.CONSUMER, error: 'diverged' })
  })
  expect(named('queue')).toMatchObject({
    traceId: '0af7651916cd43dd8448eb211c80319c',
    parentSpanId: 'b7ad6b7169203331',
    startMs: 1_700_000_000_000.25,
    endMs: 1_700_000_000_012.5,
  })
  expect(named('queue')).not.toHaveProperty('error')
  expect(named('run')).toMatchObject({
    parentSpanId: named('queue')!.spanId,
    startMs: 5,
    endMs: 7.125,
    error: 'diverged',
  })
})

test('an end before the start, as two clocks give it, is a span without length', async () => {
  const { named } = await recordRun(() => recordSpan({ name: 'fetch', parent: sampled, startMs: 2000, endMs: 1000 }))
  expect(named('fetch')).toMatchObject({ startMs: 2000, endMs: 2000 })
})

test('below an unsampled parent or in a task without trace nothing is recorded, at any depth', async () => {
  const carriers: TraceCarrier[] = []
  const { spans } = await recordRun(() => {
    for (const parent of [unsampled(sampled), {}]) {
      carriers.push(recordSpan({ name: 'queue', parent, startMs: 1, endMs: 2 }))
      withSpan('run', { parent }, () => {
        withSpan('inner', {}, () => carriers.push(injectTrace()))
        startSpan('fetch').end()
      })
    }
  })
  expect(spans).toEqual([])
  expect(carriers[0]!['traceparent']).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-.*-00$/)
  expect(carriers[1]!['traceparent']).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-.*-00$/)
  expect(carriers.slice(2)).toEqual([{}, {}])
})

test('a submit without trace context begins a trace', async () => {
  const { spans } = await recordRun(() => {
    startSpan('submit', { parent: extractTrace({}) }).end()
    recordSpan({ name: 'submit', parent: ROOT_CONTEXT, startMs: 1, endMs: 2 })
  })
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(2)
  expect(spans.every(({ parentSpanId }) => parentSpanId === undefined)).toBe(true)
})

test('the active span follows asynchronous work and ends with it', async () => {
  const { named } = await recordRun(() =>
    withSpan('submit', { attributes: { 'costate.job.id': 'j-1' } }, async (span) => {
      await Promise.resolve()
      expect(trace.getActiveSpan()).toBe(span)
      await Promise.all([withSpan('queue', {}, async () => undefined), withSpan('dispatch', {}, async () => 1)])
    }),
  )
  expect(named('submit')?.attributes).toEqual({ 'costate.job.id': 'j-1' })
  expect(named('queue')?.parentSpanId).toBe(named('submit')?.spanId)
  expect(named('dispatch')?.parentSpanId).toBe(named('submit')?.spanId)
})

test('what fails inside is thrown on and marks the span', async () => {
  const broken = new RangeError('matrix is singular')
  const { named } = await recordRun(async () => {
    expect(() => withSpan('sync', {}, () => raise(broken))).toThrow(broken)
    await expect(withSpan('async', {}, async () => raise(broken))).rejects.toBe(broken)
  })
  for (const name of ['sync', 'async']) {
    expect(named(name)).toMatchObject({ error: 'matrix is singular', attributes: { 'error.type': 'RangeError' } })
  }
})

test('links name carriers; beyond the limit their number is kept', async () => {
  const carriers = Array.from({ length: 200 }, (_, i) => ({
    traceparent: `00-0af7651916cd43dd8448eb211c80319c-${(i + 1).toString(16).padStart(16, '0')}-01`,
  }))
  const { named } = await recordRun(() => {
    recordSpan({ name: 'gather', parent: sampled, startMs: 1, endMs: 2, links: carriers })
    recordSpan({ name: 'attempt', parent: sampled, startMs: 1, endMs: 2, links: [carriers[0]!, {}] })
  })
  expect(named('gather')?.links).toHaveLength(128)
  expect(named('gather')?.attributes).toEqual({ 'costate.link.count': 200 })
  expect(named('attempt')?.links).toEqual([{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: '0000000000000001' }])
})

test('without telemetry spans cost nothing and the trace passes through', () => {
  expect(recordSpan({ name: 'queue', parent: sampled, startMs: 1, endMs: 2 })).toEqual(sampled)
  expect(withSpan('run', { parent: sampled }, (span) => carrierOf(span))).toEqual(sampled)
  expect(withSpan('run', {}, () => injectTrace())).toEqual({})
})

function raise(error: Error): never {
  throw error
}
