import { type Profiler, Session } from 'node:inspector'

/** How often it is looked at what runs. */
const intervalUs = 1_000

/** Samples what this thread does, with V8's profiler: some percent of its time while it runs, nothing else. */
export class CpuSampler {
  readonly #session = new Session()
  #isRunning = false

  constructor() {
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.setSamplingInterval', { interval: intervalUs })
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  start(): void {
    this.#session.post('Profiler.start')
    this.#isRunning = true
  }

  /** What was sampled since the start; nothing when V8 does not say. */
  stop(): Profiler.Profile | undefined {
    let found: Profiler.Profile | undefined
    // Of a session with its own thread the answer comes before the call returns.
    this.#session.post('Profiler.stop', (_error, answer) => {
      found = (answer as { readonly profile: Profiler.Profile } | undefined)?.profile
    })
    this.#isRunning = false
    return found
  }
}
