import { type CpuSamples, CpuSampler, foldProfile, nameModules, SampleSum } from '#libs/profile/sampling'

/** Where this package lies. */
const packageUrl = new URL(
  /\/dist\/libs\/client\/[^/]*$/.test(import.meta.url) ? '../../../' : '../../',
  import.meta.url,
).href

/** One for all jobs: the thread has one profiler. */
let sampler: CpuSampler | undefined

/** What was sampled of the tasks of a job in this process. */
export class InlineSamples {
  readonly #sum = new SampleSum()
  #isSampling = false

  /** A child runs while its parent is sampled: its time is then found below the parent's. */
  begin(): void {
    sampler ??= new CpuSampler()
    if (sampler.isRunning) return
    sampler.start()
    this.#isSampling = true
  }

  end(): void {
    if (!this.#isSampling) return
    this.#isSampling = false
    const profile = sampler?.stop()
    if (profile) this.#sum.addAll(foldProfile(profile, nameModules(packageUrl)))
  }

  total(): CpuSamples {
    return this.#sum.total()
  }
}
