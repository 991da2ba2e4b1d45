import type { Task, TaskFuture } from '#libs/client'

import { rootCauseOf } from './root-cause.js'
import { stageOf } from './pipeline-stage.js'
import { countSettles, type Run, runOn, type RunOptions } from './run.js'
import { type PipelineStage, type PlannedStage, planStages } from './stage-plan.js'

/** How to run a pipeline. */
export interface PipelineOptions extends RunOptions {
  /** Keeps the result of each stage in the checkpoint-store: the next run goes on at the first that is missing. */
  readonly persistIntermediate?: boolean
  /** Under which results are kept, `pipelines/<name>/<stage>`; the stages' names joined by dashes unless given. */
  readonly name?: string
}

/** What the last stage gives. */
export type PipelineResult<S extends readonly PipelineStage[]> = S extends readonly [...unknown[], infer Last]
  ? Last extends PipelineStage<infer R>
    ? R
    : never
  : unknown

interface Kept {
  readonly fingerprint: string
  readonly result: unknown
}

/**
 * Runs stages one after the other, each on the result of the one before, which goes from worker to worker; branches and joins
 * where stages say what they come `after`. Independent branches run at the same time.
 *
 *     await pipeline([preprocess, extract, { name: 'left', task: fit, after: 'extract' }, { name: 'right', task: test, after:
 *       'extract' }, { name: 'report', task: join, after: ['left', 'right'] }], readings, { cluster, persistIntermediate: true })
 *
 * With `persistIntermediate` the result of every stage passes through this program into the checkpoint-store. A stage is computed
 * again when its code, or anything that it depends on, has changed.
 *
 * @returns the result of the last stage in the list.
 * @throws RangeError for stages that make no sense; TaskError of the stage that failed, also when it returned nothing (then what
 * was finished is kept).
 */
export async function pipeline<const S extends readonly PipelineStage[]>(
  stages: S,
  initialData: unknown,
  options: PipelineOptions = {},
): Promise<PipelineResult<S>> {
  const plan = planStages(stages)
  const { persistIntermediate = false, name = plan.map((stage) => stage.name).join('-') } = options
  return await runOn('pipeline', { ...options, name }, async (run) => {
    const keeper = persistIntermediate
      ? new StageKeeper(run, name, await fingerprints(run, plan, initialData))
      : undefined
    const found = await findKept(plan, keeper)
    const last = plan.length - 1
    if (found.has(last)) return found.get(last) as PipelineResult<S>
    const missing = missingStages(plan, found)
    const futures = submitStages(run, plan, missing, found, initialData)
    run.keep([...futures.values()], countSettles(missing.length, options.onProgress))
    const kept = [...futures].map(async ([index, future]) => {
      const result = await future.result()
      await keeper?.save(index, plan[index]!, result)
      return result
    })
    // What can still finish is finished and kept before the failure is told.
    await Promise.allSettled(kept)
    try {
      await Promise.all(kept)
      return (await kept[missing.indexOf(last)]!) as PipelineResult<S>
    } catch (error) {
      throw rootCauseOf(error)
    }
  })
}

/** Results that were kept by earlier runs and are still those of this code and this data, as far as they are needed. */
async function findKept(plan: readonly PlannedStage[], keeper: StageKeeper | undefined): Promise<Map<number, unknown>> {
  const found = new Map<number, unknown>()
  const sought = new Set<number>()
  const seek = async (index: number): Promise<void> => {
    if (sought.has(index)) return
    sought.add(index)
    const kept = await keeper?.load(index, plan[index]!)
    if (kept) found.set(index, kept.result)
    else for (const input of plan[index]!.inputs) await seek(input)
  }
  if (keeper) await seek(plan.length - 1)
  return found
}

/** What has to be computed, in order. Without a keeper that is every stage. */
function missingStages(plan: readonly PlannedStage[], found: ReadonlyMap<number, unknown>): number[] {
  if (found.size === 0) return [...plan.keys()]
  const needed = new Set<number>()
  const need = (index: number): void => {
    if (found.has(index) || needed.has(index)) return
    needed.add(index)
    for (const input of plan[index]!.inputs) need(input)
  }
  need(plan.length - 1)
  return [...needed].sort((a, b) => a - b)
}

function submitStages(
  run: Run,
  plan: readonly PlannedStage[],
  missing: readonly number[],
  found: ReadonlyMap<number, unknown>,
  initialData: unknown,
): Map<number, TaskFuture<unknown>> {
  return run.cluster.graph((graph) => {
    const futures = new Map<number, TaskFuture<unknown>>()
    for (const index of missing) {
      const { task, inputs, name } = plan[index]!
      const args = inputs.length === 0 ? [initialData] : inputs.map((input) => futures.get(input) ?? found.get(input))
      const stage = stageOf({ stage: task as unknown as Task<readonly unknown[], unknown> })
      futures.set(index, graph.with({ name }).task(stage, args))
    }
    return futures
  })
}

/** Of each stage: its code, and those of what it takes. */
async function fingerprints(run: Run, plan: readonly PlannedStage[], initialData: unknown): Promise<string[]> {
  const known: string[] = []
  for (const { task, inputs } of plan) {
    const before = inputs.length === 0 ? [initialData] : inputs.map((input) => known[input])
    known.push(await run.cluster.digestOf(task, ...before))
  }
  return known
}

/** Keeps results of stages in the checkpoint-store. */
class StageKeeper {
  readonly #run: Run
  readonly #name: string
  readonly #fingerprints: readonly string[]

  constructor(run: Run, name: string, prints: readonly string[]) {
    this.#run = run
    this.#name = name
    this.#fingerprints = prints
  }

  async load(index: number, { name }: PlannedStage): Promise<Kept | undefined> {
    const kept = await this.#run.cluster.checkpoints.load<Kept>(`pipelines/${this.#name}/${name}`)
    return kept?.value.fingerprint === this.#fingerprints[index] ? kept?.value : undefined
  }

  async save(index: number, { name }: PlannedStage, result: unknown): Promise<void> {
    const kept: Kept = { fingerprint: this.#fingerprints[index]!, result }
    await this.#run.cluster.checkpoints.save(`pipelines/${this.#name}/${name}`, kept)
  }
}
