import { pathToFileURL } from 'node:url'

import { type CpuSamples, CpuSampler, foldProfile, nameBundled, SampleSum } from '#libs/profile/sampling'
import { encodeValue, copySegments, packStructure } from '#libs/value'

import { callMain } from './slot-calls.js'
import type { FromSlot, SlotTask } from './slot-messages.js'

/** Samples of short tasks are saved together. */
const saveEveryMs = 1_000

/** Samples the tasks of this slot whose job asked for that, and saves where their time went. */
export class SlotProfile {
  readonly #say: (message: FromSlot, transfer?: readonly ArrayBuffer[]) => void
  #sampler: CpuSampler | undefined
  #sum = new SampleSum()
  #savedAtMs = 0

  constructor(say: (message: FromSlot, transfer?: readonly ArrayBuffer[]) => void) {
    this.#say = say
  }

  begin(): void {
    this.#sampler ??= new CpuSampler()
    this.#sampler.start()
  }

  /**
   * The task is over; with the last one before another job, or before nothing, what was sampled is saved: whoever hears of its
   * end finds it. A save that fails costs samples, no task.
   */
  async end(task: SlotTask, isLast: boolean): Promise<void> {
    const profile = this.#sampler?.stop()
    const name = nameBundled(pathToFileURL(task.call.bundlePath).href)
    if (profile) this.#sum.addAll(foldProfile(profile, name))
    const atMs = performance.now()
    if (!isLast && atMs - this.#savedAtMs < saveEveryMs) return
    const samples = this.#sum.total()
    this.#sum = new SampleSum()
    this.#savedAtMs = atMs
    await this.#save(task, samples).catch(() => undefined)
  }

  async #save(task: SlotTask, samples: CpuSamples): Promise<void> {
    const encoded = packStructure(encodeValue(JSON.stringify(samples), 'the samples'))
    const bytes = copySegments(encoded)
    const call = { kind: 'profile', structure: encoded.root, bytes } as const
    await callMain((callId) => this.#say({ kind: 'checkpoint', callId, key: task.key, call }, [bytes.buffer]))
  }
}
