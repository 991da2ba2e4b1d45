import { asCompleted, task, type WorkerInfo } from 'costate'
import { integrateAdaptive } from 'costate/control'

import { checkEach, checkNumber, type Check } from '../demo/check.js'
import type { Setting } from '../demo/demo.js'

const amplitudes = [10, 30, 60, 90, 120, 150, 170, 179]
const precise = { relativeTolerance: 1e-12, absoluteTolerance: 1e-14, maxSteps: 1_000_000 }

/** One swing of a pendulum, θ'' = -sin θ, from an amplitude in degrees: four times from rest until it hangs. */
function swing(amplitude: number): number {
  const { events } = integrateAdaptive(
    (_t, [angle, rate], slope) => {
      slope[0] = rate!
      slope[1] = -Math.sin(angle!)
    },
    { from: 0, to: 100 },
    Float64Array.of((amplitude * Math.PI) / 180, 0),
    { ...precise, events: { hangs: { value: (_t, [angle]) => angle!, terminal: true } } },
  )
  return 4 * events[0]!.t
}

/** A task is a function that a worker can run. It is declared under its name, and exported. */
export const period = task(import.meta, 'period', async (amplitude: number) => swing(amplitude))

/** The same for a part of a large array. */
export const periods = task(import.meta, 'periods', async (part: Float64Array) => part.map(swing))

/** Takes what other tasks gave. */
export const longest = task(import.meta, 'longest', async (all: readonly number[]) => Math.max(...all))

/** What the program saw. */
export interface LocalClusterResult {
  readonly workers: readonly WorkerInfo[]
  /** After it had asked for one more. */
  readonly workersAfter: readonly WorkerInfo[]
  /** By amplitude. */
  readonly found: readonly number[]
  readonly longest: number
  readonly curve: { readonly amplitudes: Float64Array; readonly periods: Float64Array }
  /** Who computed which part of the curve; epoch ms. */
  readonly parts: readonly { readonly workerId: string; readonly startedAtMs: number; readonly endedAtMs: number }[]
}

export async function useLocalCluster(setting: Setting): Promise<LocalClusterResult> {
  const { isReduced, isInline, startCluster, say, follow } = setting
  // A scheduler, a checkpoint-store and two workers, each a process of its own; they end with this block.
  await using cluster = await startCluster({ workers: 2 })
  const workers = await cluster.workers()
  say(workers.map(({ id, pid, slots }) => `worker ${id}: process ${pid}, ${slots} slot`).join('\n'))

  // One task. The future is there at once, its result when the task is done.
  const first = cluster.submit(period, 10)
  say(`a swing of 10° takes ${(await first.result()).toFixed(6)}`)

  // Many tasks, and one that takes the results of all: they go from worker to worker.
  const futures = cluster.map(period, amplitudes)
  const most = cluster.submit(longest, futures)
  const found = await cluster.gather(futures)

  // One worker more. (An inline cluster has one, which is this process.)
  if (!isInline) {
    await cluster.scale(3)
    await cluster.waitForWorkers(3)
  }

  // A large array goes into the workers' memory in parts; a task for each part runs where the part is.
  const count = isReduced ? 240 : 2_400
  const all = Float64Array.from({ length: count }, (_, k) => 5 + (174 * k) / (count - 1))
  const scattered = await cluster.scatter(all, { chunkBytes: all.byteLength / 24 })
  const parts = cluster.map(periods, scattered.parts)
  const onProgress = follow('curve', 'parts')
  let done = 0
  for await (const _part of asCompleted(parts)) onProgress({ done: ++done, failed: 0, total: parts.length })

  return {
    ...{ workers, workersAfter: await cluster.workers(), found, longest: await most.result() },
    curve: { amplitudes: all, periods: Float64Array.from((await cluster.gather(parts)).flatMap((part) => [...part])) },
    parts: parts.map(({ timing }) => timing!),
  }
}

/** 4 K(sin²(θ₀/2)), K the complete elliptic integral of the first kind. */
export const publishedPeriods = [
  ...[6.295168523699072, 6.39256800845016, 6.743001419250384, 7.4162987092054875],
  ...[8.626062589998574, 11.07225258147507, 15.326967999136585, 24.51111529810688],
]
const source = 'Abramowitz & Stegun (1964), chapter 17: complete elliptic integrals'

export function checkPeriods({ found, longest: most }: LocalClusterResult): Check[] {
  return [
    checkEach({ what: 'periods of 8 amplitudes', ours: found, reference: publishedPeriods, relative: 1e-8, source }),
    checkNumber({
      what: 'the longest of them',
      ours: most,
      reference: publishedPeriods.at(-1)!,
      relative: 1e-8,
      source,
    }),
  ]
}

/** Where the published periods belong, in degrees. */
export const publishedAmplitudes: readonly number[] = amplitudes
