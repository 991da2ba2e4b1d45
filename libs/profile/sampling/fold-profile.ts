import type { Profiler } from 'node:inspector'

import { type CpuSamples, SampleSum } from './cpu-samples.js'

/** Names a function as people know it; nothing for what is not the user's. */
export type NameFrame = (frame: Profiler.Profile['nodes'][number]['callFrame']) => string | undefined

/** A recursion may be as deep as the stack. */
const mostFrames = 200
const collector = '(garbage collector)'

/**
 * What V8 sampled, as stacks of the user's functions only: what they call of the engine or of a library that is not named
 * counts as theirs.
 */
export function foldProfile(
  { nodes, samples = [], timeDeltas = [] }: Profiler.Profile,
  nameFrame: NameFrame,
): CpuSamples {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map<number, number>()
  for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id)
  const names = new Map<number, string | undefined>()
  const nameOf = (id: number): string | undefined => {
    if (!names.has(id)) names.set(id, nameNode(byId.get(id), nameFrame))
    return names.get(id)
  }
  const us = new Map<number, number>()
  // A sample lasts until the next one. Deltas of another processor's clock can be negative.
  for (const [nth, id] of samples.entries()) us.set(id, (us.get(id) ?? 0) + Math.max(0, timeDeltas[nth + 1] ?? 0))
  const sum = new SampleSum()
  for (const [id, own] of us) {
    const frames: string[] = []
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const name = nameOf(at)
      if (name !== undefined) frames.push(name)
    }
    sum.add(frames.reverse().slice(0, mostFrames), own)
  }
  return sum.total()
}

function nameNode(node: Profiler.Profile['nodes'][number] | undefined, nameFrame: NameFrame): string | undefined {
  if (node?.callFrame.functionName === collector && node.callFrame.url === '') return collector
  return node && node.callFrame.url !== '' ? nameFrame(node.callFrame) : undefined
}
