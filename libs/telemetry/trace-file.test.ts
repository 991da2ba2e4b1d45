import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { readRunSpans } from './trace-file.js'
import { makeRunDir } from './trace-run.fixture.js'

const traceId = 'ab'.repeat(16)

function requestLine(...spans: Record<string, unknown>[]): string {
  const attributes = [
    { key: 'service.name', value: { stringValue: 'solver' } },
    { key: 'service.instance.id', value: { stringValue: 's-1' } },
  ]
  return JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }] })
}

function span(
  spanId: string,
  startNanos: string | number,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    traceId,
    spanId,
    name: 'run',
    startTimeUnixNano: startNanos,
    endTimeUnixNano: '1700000000123456000',
    ...more,
  }
}

async function writeTraces(files: Record<string, string>): Promise<string> {
  const runDir = await makeRunDir()
  await mkdir(join(runDir, 'traces'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(runDir, 'traces', name), text)
  return runDir
}

test('reads all parts of all processes, by start time, each span once', async () => {
  const runDir = await writeTraces({
    'worker-1.otlp.jsonl':
      requestLine(span('00000000000000b1', '30000000'), span('00000000000000b2', '20000000')) + '\n',
    'worker-1.1.otlp.jsonl':
      requestLine(span('00000000000000b0', '10000000'), span('00000000000000b1', '30000000')) + '\n',
    'notes.txt': 'not a trace',
  })
  const spans = await readRunSpans(runDir)
  expect(spans.map(({ spanId, startMs }) => [spanId, startMs])).toEqual([
    ['00000000000000b0', 10],
    ['00000000000000b2', 20],
    ['00000000000000b1', 30],
  ])
})

test('a torn last line costs only itself', async () => {
  const whole = requestLine(span('00000000000000c1', '1'))
  const runDir = await writeTraces({
    'worker-1.otlp.jsonl': `${whole}\n${requestLine(span('00000000000000c2', '2')).slice(0, 150)}`,
    'worker-2.otlp.jsonl': `${whole.slice(0, 99)}\n\nnull\n[]\n${requestLine(span('00000000000000c3', '3'))}`,
  })
  expect((await readRunSpans(runDir)).map(({ spanId }) => spanId)).toEqual(['00000000000000c1', '00000000000000c3'])
})

test('takes what other OTLP/JSON writers produce', async () => {
  const attributes = [
    { key: 'int', value: { intValue: 7 } },
    { key: 'bool', value: { boolValue: false } },
    { key: 'double', value: { doubleValue: 'Infinity' } },
    { key: 'list', value: { arrayValue: { values: [{ intValue: '1' }, { stringValue: 'x' }] } } },
    { key: 'nested', value: { kvlistValue: { values: [{ key: 'a', value: { doubleValue: 0.5 } }] } } },
    { key: 'broken' },
  ]
  const foreign = span('00000000000000D1', '1700000000123456789', {
    parentSpanId: '',
    attributes,
    status: { code: 2 },
    links: [{ traceId, spanId: '00000000000000E1' }, { spanId: 'short' }],
  })
  const noSpans = [
    { ...span('short', '1') },
    { ...span('00000000000000d2', -1) },
    { ...span('00000000000000d3', '1'), name: 1 },
  ]
  const runDir = await writeTraces({ 'go.otlp.jsonl': requestLine(foreign, ...noSpans) })
  expect(await readRunSpans(runDir)).toEqual([
    {
      traceId,
      spanId: '00000000000000d1',
      name: 'run',
      service: 'solver',
      instanceId: 's-1',
      startMs: 1700000000123.456,
      endMs: 1700000000123.456,
      attributes: { int: 7, bool: false, double: Infinity, list: '[1,"x"]', nested: '{"a":0.5}' },
      links: [{ traceId, spanId: '00000000000000e1' }],
      error: 'failed without a message',
    },
  ])
})

test('gives one trace when asked for one, and nothing where no trace was written', async () => {
  const other = { ...span('00000000000000f2', '2'), traceId: 'cd'.repeat(16) }
  const runDir = await writeTraces({ 'a.otlp.jsonl': requestLine(span('00000000000000f1', '1'), other) })
  expect((await readRunSpans(runDir, { traceId: 'CD'.repeat(16) })).map(({ spanId }) => spanId)).toEqual([
    '00000000000000f2',
  ])
  expect(await readRunSpans(await makeRunDir())).toEqual([])
})
