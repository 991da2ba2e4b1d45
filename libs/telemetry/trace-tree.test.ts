import { expect, test } from 'vitest'

import { span } from './span.fixture.js'
import { buildTraceTree, type TraceNode } from './trace-tree.js'

function outline(nodes: readonly TraceNode[]): unknown[] {
  return nodes.map(({ span: { spanId }, children }) => (children.length === 0 ? spanId : [spanId, outline(children)]))
}

test('children hang below their parents by start time, whatever the order of the spans', () => {
  const spans = [
    span('run-2', 30, 40, { parentSpanId: 'job' }),
    span('fetch', 12, 14, { parentSpanId: 'run-1' }),
    span('run-1', 10, 20, { parentSpanId: 'job' }),
    span('job', 0, 50),
  ]
  expect(outline(buildTraceTree(spans, 't'))).toEqual([['job', [['run-1', ['fetch']], 'run-2']]])
})

test('a span whose parent was never written is a root, and other traces are left out', () => {
  const spans = [
    span('late', 20, 30, { parentSpanId: 'lost' }),
    span('early', 10, 15),
    span('foreign', 0, 1, { traceId: 'other' }),
  ]
  expect(outline(buildTraceTree(spans, 't'))).toEqual(['early', 'late'])
})

test('a ring of parents, a span that is its own parent and a span written twice do no harm', () => {
  const spans = [
    span('a', 1, 2, { parentSpanId: 'b' }),
    span('b', 0, 3, { parentSpanId: 'a' }),
    span('self', 5, 6, { parentSpanId: 'self' }),
    span('self', 5, 6, { parentSpanId: 'self' }),
  ]
  expect(outline(buildTraceTree(spans, 't'))).toEqual([['a', ['b']], 'self'])
})
