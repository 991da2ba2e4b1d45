import { type CpuSamples, SampleSum } from './sampling/cpu-samples.js'

/** Under which names the samples of a job's tasks are in the checkpoint-store. */
export function prefixOfSamples(jobId: string): string {
  return `jobs/${jobId}/profiles/`
}

/** The checkpoints of a mesh, as far as samples need them. */
export interface SamplesSource {
  list(options: { readonly prefix: string }): Promise<readonly { readonly name: string }[]>
  load(name: string): Promise<{ readonly value: unknown } | undefined>
}

const loadedAtOnce = 8

/** What was sampled of the tasks of these jobs, all together; nothing when no sampling was asked for. */
export async function readSamples(source: SamplesSource, jobIds: readonly string[]): Promise<CpuSamples | undefined> {
  const names: string[] = []
  for (const jobId of jobIds)
    names.push(...(await source.list({ prefix: prefixOfSamples(jobId) })).map(({ name }) => name))
  if (names.length === 0) return undefined
  const sum = new SampleSum()
  for (let at = 0; at < names.length; at += loadedAtOnce) {
    const loaded = await Promise.all(names.slice(at, at + loadedAtOnce).map((name) => source.load(name)))
    for (const samples of loaded) if (samples) addSamples(sum, samples.value)
  }
  return sum.total()
}

/** Adds what a slot saved. */
export function addSamples(sum: SampleSum, saved: unknown): void {
  sum.addAll(JSON.parse(saved as string) as CpuSamples)
}
