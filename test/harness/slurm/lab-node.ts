import { mkdir } from 'node:fs/promises'

import { filesOf } from './configuration.js'
import { Daemon } from './daemon.js'
import { jobProcesses, killAll, signalAll } from './node-processes.js'

/** What a node needs to know of its cluster. */
export interface NodePlace {
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
  readonly slurmd: string
  /** Resolves when the controller has taken the node up. */
  registered(node: string): Promise<unknown>
}

/** A node of the cluster: a slurmd, and below it the jobs. */
export class LabNode {
  readonly name: string
  readonly #place: NodePlace
  #slurmd: Daemon | undefined

  constructor(name: string, place: NodePlace) {
    this.name = name
    this.#place = place
  }

  get isUp(): boolean {
    return this.#slurmd?.isRunning === true
  }

  /** Starts slurmd; jobs that still run are kept by it. Resolves when the controller knows. */
  async start(): Promise<void> {
    if (this.isUp) return
    const { dir, env, slurmd } = this.#place
    await mkdir(filesOf(dir).spool(this.name), { recursive: true })
    const known = this.#place.registered(this.name)
    const start = { command: slurmd, args: ['-D', '-N', this.name], env, logFile: filesOf(dir).log(this.name) }
    const daemon = new Daemon(this.name, start)
    this.#slurmd = daemon
    const endedEarly = daemon.exited.then(() => {
      throw new Error(`slurmd of ${this.name} ended; its log is ${filesOf(dir).log(this.name)}`)
    })
    await Promise.race([known, endedEarly])
  }

  /** Ends slurmd alone, as a crash of it would: jobs run on, and once the node is down they are started elsewhere too. */
  async crash(): Promise<void> {
    await this.#slurmd?.kill()
  }

  /** Ends everything on the node at once, as a power cut would. */
  async powerOff(): Promise<void> {
    await this.#slurmd?.kill()
    await killAll(() => this.jobProcesses())
  }

  /** slurmd answers nobody, as behind a broken network; jobs run on. */
  cutOff(): void {
    this.#slurmd?.freeze()
  }

  /** The network is back. */
  reconnect(): void {
    this.#slurmd?.thaw()
  }

  /** Everything on the node stands still, as on a machine that hangs. */
  freeze(): void {
    this.#slurmd?.freeze()
    signalAll(this.jobProcesses(), 'SIGSTOP')
  }

  thaw(): void {
    signalAll(this.jobProcesses(), 'SIGCONT')
    this.#slurmd?.thaw()
  }

  /** The processes of its jobs and of the steps that watch over them. */
  jobProcesses(): number[] {
    return jobProcesses(this.#place.dir, this.name)
  }
}
