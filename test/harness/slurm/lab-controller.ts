import { filesOf, type FullClusterShape } from './configuration.js'
import { Daemon } from './daemon.js'

/** What the controller needs to know of its cluster. */
export interface ControllerPlace {
  readonly dir: string
  readonly shape: FullClusterShape
  readonly env: Readonly<Record<string, string>>
  readonly slurmctld: string
  /** The library for a clock of its own; not needed at the usual speed. */
  readonly fakeClock: string | undefined
}

/** slurmctld. */
export class LabController {
  readonly #place: ControllerPlace
  #daemon: Daemon | undefined

  constructor(place: ControllerPlace) {
    this.#place = place
  }

  get isUp(): boolean {
    return this.#daemon?.isRunning === true
  }

  /** Its process, for what must happen at the very moment of something else. */
  get pid(): number {
    return this.#daemon?.pid ?? 0
  }

  /** Starts it with the state that it saved, if any. Resolves when it serves. */
  async start(): Promise<void> {
    if (this.isUp) return
    const { dir, env, slurmctld } = this.#place
    const start = { command: slurmctld, args: ['-D'], env: { ...env, ...this.#clock() } }
    const daemon = new Daemon('slurmctld', { ...start, logFile: filesOf(dir).log('slurmctld') })
    this.#daemon = daemon
    await daemon.says(/Running as primary controller/)
  }

  /** Ends it at once. What it has not saved, it forgets: it saves every few seconds. */
  async kill(): Promise<void> {
    await this.#daemon?.kill()
  }

  /** Ends it in order: it saves everything. */
  async stop(): Promise<void> {
    await this.#daemon?.stop()
  }

  /** It accepts connections and answers nobody. */
  freeze(): void {
    this.#daemon?.freeze()
  }

  thaw(): void {
    this.#daemon?.thaw()
  }

  /** Resolves when it takes this node up the next time. */
  async registered(node: string): Promise<string> {
    if (this.#daemon === undefined) throw new Error('the controller was never started')
    return await this.#daemon.says(new RegExp(`node ${node} (?:registered with|returned to service)`))
  }

  #clock(): Record<string, string> {
    const { shape, fakeClock } = this.#place
    const { speed, clockAheadS } = shape
    if (speed === 1 && clockAheadS === 0) return {}
    if (fakeClock === undefined) throw new Error('a clock of its own needs libfaketime')
    const ahead = `${clockAheadS < 0 ? '-' : '+'}${Math.abs(clockAheadS)}`
    return { LD_PRELOAD: fakeClock, FAKETIME: `${ahead} x${speed}`, DONT_FAKE_MONOTONIC: '1' }
  }
}
