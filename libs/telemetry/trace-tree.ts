import type { SpanRecord } from './trace-file.js'

/** A span with what happened below it, by start time. */
export interface TraceNode {
  readonly span: SpanRecord
  readonly children: TraceNode[]
}

/**
 * The tree (or, where processes have not written yet or were lost, the trees) of one trace. A span whose parent is not there
 * is a root; so is one span of a ring of parents, which only a broken writer makes. Every span is in it exactly once.
 */
export function buildTraceTree(spans: readonly SpanRecord[], traceId: string): TraceNode[] {
  const nodes = new Map<string, TraceNode>()
  for (const span of [...spans].filter((each) => each.traceId === traceId).sort(byStart)) {
    if (!nodes.has(span.spanId)) nodes.set(span.spanId, { span, children: [] })
  }
  const roots: TraceNode[] = []
  const placed = new Map<TraceNode, TraceNode>()
  for (const node of nodes.values()) {
    const parent = node.span.parentSpanId === undefined ? undefined : nodes.get(node.span.parentSpanId)
    if (parent === undefined || isBelow(parent, node, placed)) {
      roots.push(node)
    } else {
      parent.children.push(node)
      placed.set(node, parent)
    }
  }
  return roots
}

function isBelow(node: TraceNode, ancestor: TraceNode, parents: ReadonlyMap<TraceNode, TraceNode>): boolean {
  for (let at: TraceNode | undefined = node; at !== undefined; at = parents.get(at)) if (at === ancestor) return true
  return false
}

function byStart(a: SpanRecord, b: SpanRecord): number {
  return a.startMs - b.startMs || b.endMs - a.endMs || (a.spanId < b.spanId ? -1 : 1)
}
