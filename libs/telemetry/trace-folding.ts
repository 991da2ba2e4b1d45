import type { TraceNode } from './trace-tree.js'

/** What is shown of a list of siblings: a span, or one line for the many that are like those before it. */
export type FoldedChild =
  | { readonly kind: 'node'; readonly node: TraceNode }
  | {
      readonly kind: 'fold'
      readonly name: string
      readonly count: number
      readonly failedCount: number
      readonly medianMs: number
      readonly maxMs: number
    }

/**
 * Folds siblings that share name and service down to `maxLike` of them: the failed ones before the others, then by start. The
 * line for the rest stands behind the last one that is shown. A group that is one too long stays: its fold would save nothing.
 */
export function foldChildren(siblings: readonly TraceNode[], maxLike: number): FoldedChild[] {
  const groups = new Map<string, TraceNode[]>()
  for (const node of siblings) {
    const key = JSON.stringify([node.span.name, node.span.service])
    const group = groups.get(key)
    if (group) group.push(node)
    else groups.set(key, [node])
  }
  const hidden = new Set<TraceNode>()
  const foldBehind = new Map<TraceNode, FoldedChild>()
  for (const group of groups.values()) {
    if (group.length <= maxLike + 1) continue
    const kept = new Set([...group].sort((a, b) => failureRank(a) - failureRank(b)).slice(0, maxLike))
    const rest = group.filter((node) => !kept.has(node))
    for (const node of rest) hidden.add(node)
    const lastShown = group.findLast((node) => kept.has(node))
    if (lastShown) foldBehind.set(lastShown, describe(rest))
  }
  return siblings
    .filter((node) => !hidden.has(node))
    .flatMap((node): FoldedChild[] => {
      const fold = foldBehind.get(node)
      return fold ? [{ kind: 'node', node }, fold] : [{ kind: 'node', node }]
    })
}

function failureRank({ span }: TraceNode): number {
  return span.error === undefined ? 1 : 0
}

function describe(nodes: readonly TraceNode[]): FoldedChild {
  const durations = nodes.map(({ span }) => span.endMs - span.startMs).sort((a, b) => a - b)
  const middle = durations.length / 2
  return {
    kind: 'fold',
    name: nodes[0]!.span.name,
    count: nodes.length,
    failedCount: nodes.filter(({ span }) => span.error !== undefined).length,
    medianMs: (durations[Math.ceil(middle) - 1]! + durations[Math.floor(middle)]!) / 2,
    maxMs: durations.at(-1)!,
  }
}
