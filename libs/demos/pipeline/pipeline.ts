import { rm } from 'node:fs/promises'
import path from 'node:path'

import { task } from 'costate'
import { pipeline, type PipelineStage } from 'costate/primitives'

import { checkEach, checkNumber, checkSame, type Check } from '../demo/check.js'
import type { Setting } from '../demo/demo.js'

/** Stage 1: normal numbers, from the task's own random stream. */
export const generate = task(import.meta, 'generate', async (n: number, { rng }) => rng.normals(n))

/** Stage 2: their running sum, a random walk. */
export const integrate = task(import.meta, 'integrate', async (noise: Float64Array) => {
  let sum = 0
  return noise.map((value) => (sum += value))
})

/** Stage 3a: where the walk is highest, and where it ends. */
export const findPeak = task(import.meta, 'findPeak', async (walk: Float64Array) => {
  const index = walk.reduce((best, value, k) => (value > walk[best]! ? k : best), 0)
  return { index, height: walk[index]!, last: walk.at(-1)! }
})

/** Stage 3b: second differences. */
export const differentiate = task(import.meta, 'differentiate', async (walk: Float64Array) =>
  Float64Array.from({ length: walk.length - 2 }, (_, k) => walk[k + 2]! - 2 * walk[k + 1]! + walk[k]!),
)

/** Stage 4b: those above 1 in size. */
export const select = task(import.meta, 'select', async (values: Float64Array) => values.filter((y) => Math.abs(y) > 1))

/** Stage 5: joins both branches. */
export const report = task(
  import.meta,
  'report',
  async (walk: Float64Array, peak: { index: number; height: number; last: number }, kept: Float64Array) => {
    const histogram: Record<string, number> = {}
    for (const y of kept) histogram[Math.floor(y)] = (histogram[Math.floor(y)] ?? 0) + 1
    const stride = Math.max(1, Math.floor(walk.length / 1_000))
    return {
      ...{ peak, histogram, count: kept.length, stride },
      ...{
        total: kept.reduce((sum, y) => sum + y, 0),
        largest: kept.reduce((most, y) => Math.max(most, y), -Infinity),
      },
      shown: walk.filter((_, k) => k % stride === 0),
    }
  },
)

/** Each stage takes the result of the one before it, or of those that it says. */
const stages = [
  generate,
  integrate,
  { task: findPeak, after: 'integrate' },
  { task: differentiate, after: 'integrate' },
  { task: select, after: 'differentiate' },
  { task: report, after: ['integrate', 'findPeak', 'select'] },
] as const

export interface PipelineResult {
  readonly report: Awaited<ReturnType<typeof report>>
  readonly stages: number
  /** Stages that each of the two programs computed. */
  readonly computed: readonly number[]
  /** Whether results of stages were kept from one program to the next. */
  readonly isKept: boolean
}

export async function runPipeline(setting: Setting): Promise<PipelineResult> {
  const { isInline, folder, startCluster, say, follow } = setting
  // What a stage gave is kept under the digest of its code and data, where the cluster keeps its checkpoints. An inline
  // cluster keeps them no longer than it lives itself.
  const isKept = !isInline
  const checkpointDir = path.join(folder, 'checkpoints')
  await rm(checkpointDir, { recursive: true, force: true })
  const run = async <const S extends readonly PipelineStage[]>(label: string, some: S) => {
    await using cluster = await startCluster({ workers: 2, checkpointDir })
    let computed = 0
    const onProgress = follow(label, 'stages')
    const result = await pipeline(some, 100_000, {
      ...{ cluster: cluster.with({ seed: 404 }), name: 'signal', persistIntermediate: isKept },
      onProgress: (progress) => onProgress({ ...progress, done: (computed = progress.done) }),
    })
    return { result, computed }
  }

  // A program that ends after three stages, and its cluster with it …
  const first = await run('first program', stages.slice(0, 3))
  say(`the first program ends after ${first.computed} of ${stages.length} stages`)
  // … and another, on a new cluster, that goes on at the first stage that is missing.
  const second = await run('second program', stages)
  say(`the second one computed ${second.computed}`)

  const computed = [first.computed, second.computed]
  return { report: second.result, stages: stages.length, computed, isKept }
}

export const publishedHistogram: Readonly<Record<string, number>> = {
  ...{ '-8': 1, '-7': 2, '-6': 21, '-5': 220, '-4': 1553, '-3': 6195, '-2': 16029 },
  ...{ '1': 16064, '2': 6267, '3': 1461, '4': 214, '5': 19, '6': 2 },
}
const source = 'the definition, computed with NumPy from the same Philox stream'
const promise = 'the promise of pipeline(): it goes on at the first stage that is missing'

export function checkPipeline({ report: found, stages: all, computed, isKept }: PipelineResult): Check[] {
  const bins = Object.keys(publishedHistogram)
  const counts = [...bins, ...Object.keys(found.histogram).filter((bin) => !bins.includes(bin))]
  const histogram = {
    ours: counts.map((bin) => found.histogram[bin] ?? 0),
    reference: counts.map((bin) => publishedHistogram[bin] ?? 0),
  }
  return [
    checkNumber({
      what: 'where the walk ends',
      ours: found.peak.last,
      reference: -469.4028008077623,
      absolute: 1e-9,
      source,
    }),
    checkSame({ what: 'step at which it is highest', ours: found.peak.index, reference: 233, source }),
    checkSame({ what: 'second differences above 1', ours: found.count, reference: 48048, source }),
    checkNumber({ what: 'their sum', ours: found.total, reference: -7.049585703144125, absolute: 1e-8, source }),
    checkNumber({ what: 'the largest', ours: found.largest, reference: 6.3547198899666455, relative: 1e-12, source }),
    checkEach({ what: 'bins of their histogram', ...histogram, absolute: 0, source }),
    ...(isKept
      ? [
          checkSame({
            what: 'stages left to the second program',
            ours: computed[1]!,
            reference: all - 3,
            source: promise,
          }),
        ]
      : []),
  ]
}
