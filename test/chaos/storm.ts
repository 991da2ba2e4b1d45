import { setTimeout as pause } from 'node:timers/promises'

import { createRng, type Rng } from '#libs/domain'
import { meshDirOf, readAddress } from '#libs/lifecycle'

import type { LocalMesh } from '../harness/local-mesh.js'
import { type HeardSettle, JobClient } from './job-client.js'
import type { Settings } from './settings.js'

/** A death of the scheduler. */
export interface Kill {
  readonly atMs: number
  /** When the next one served. */
  readonly servedAtMs: number
  /** When the first settle was heard from it. */
  settledAtMs: number | undefined
}

/** Its owner starts a scheduler again at once only when it had lived for a second. */
const leastLifeMs = 1_100
const lookMs = 10
const sameChance = 0.25
const mostStartMs = 30_000

/** Kills what it can while the job runs, at points of the job that the seed alone decides. */
export class Storm {
  readonly kills: Kill[] = []
  readonly killedWorkers = new Set<number>()
  readonly clients: JobClient[] = []
  readonly #mesh: LocalMesh
  readonly #folder: string
  readonly #settings: Settings
  readonly #rng: Rng
  readonly #settled = new Set<number>()
  #waiting: (() => void)[] = []
  #servedAtMs = Date.now()

  constructor(mesh: LocalMesh, folder: string, settings: Settings) {
    this.#mesh = mesh
    this.#folder = folder
    this.#settings = settings
    this.#rng = createRng(settings.seed, 2)
  }

  get settled(): number {
    return this.#settled.size
  }

  /** Runs the job through the storm, until a client has heard of every task. */
  async run(onProgress: () => void): Promise<void> {
    const { tasks, seed, kills, workerKills, clientKills } = this.#settings
    let client = this.#startClient(['submit', String(tasks), String(seed)])
    const jobId = await client.jobId
    const strikes = [
      ...this.#points(kills, () => this.#killScheduler()),
      ...this.#points(workerKills, () => this.#killWorker()),
      ...this.#points(clientKills, async () => {
        await client.kill()
        client = this.#startClient(['attach', jobId])
        // What the next one hears at first was settled long ago.
        await client.jobId
      }),
    ].sort((a, b) => a.at - b.at)
    for (const { at, strike } of strikes) {
      await this.#until(() => this.settled >= at, client)
      await pause(this.#rng.integer(0, 200))
      await strike()
      onProgress()
    }
    if (!(await client.ended)) throw new Error('the client ended before it had heard of every task')
  }

  /** Another client takes the job up when all is over, and hears the same. */
  async hearAgain(jobId: string): Promise<void> {
    if (!(await this.#startClient(['attach', jobId]).ended))
      throw new Error('the last client did not hear of every task')
  }

  #startClient(words: readonly string[]): JobClient {
    const client = new JobClient(this.#mesh.cluster.name, this.#folder, words, (settle) => this.#hear(settle))
    this.clients.push(client)
    return client
  }

  #hear({ index, heardAtMs }: HeardSettle): void {
    if (this.#settled.has(index)) return
    this.#settled.add(index)
    const kill = this.kills.at(-1)
    if (kill) kill.settledAtMs ??= heardAtMs
    for (const look of this.#waiting) look()
  }

  async #until(isTrue: () => boolean, client: JobClient): Promise<void> {
    if (isTrue()) return
    const happened = new Promise<void>((resolve) => {
      const look = (): void => {
        if (isTrue()) resolve()
      }
      this.#waiting = [look]
    })
    const ended = client.ended.then(() => {
      if (!isTrue() && !client.wasKilled) throw new Error('the client ended in the middle of its job')
    })
    await Promise.race([happened, ended])
  }

  /** As many points of the job as are wanted, by how much of it is settled: none at its very end, when nothing is left to lose. */
  #points(count: number, strike: () => Promise<void>): { readonly at: number; readonly strike: () => Promise<void> }[] {
    const { tasks } = this.#settings
    let at = 0
    return Array.from({ length: count }, () => {
      // Some come as soon as the one before is made good.
      if (this.#rng.uniform() >= sameChance) at = Math.floor(this.#rng.uniform() * 0.95 * tasks)
      return { at, strike }
    })
  }

  async #killScheduler(): Promise<void> {
    await pause(Math.max(0, this.#servedAtMs + leastLifeMs - Date.now()))
    const pid = await schedulerPid(this.#mesh)
    const atMs = Date.now()
    process.kill(pid, 'SIGKILL')
    while ((await schedulerPid(this.#mesh)) === pid) {
      if (Date.now() - atMs > mostStartMs) throw new Error(`no scheduler was started in the place of ${pid}`)
      await pause(lookMs)
    }
    this.#servedAtMs = Date.now()
    this.kills.push({ atMs, servedAtMs: this.#servedAtMs, settledAtMs: undefined })
  }

  async #killWorker(): Promise<void> {
    // After a death of the scheduler it takes a moment until they are linked again.
    await this.#mesh.cluster.waitForWorkers(1)
    const workers = (await this.#mesh.cluster.workers()).filter(({ pid }) => !this.killedWorkers.has(pid))
    const worker = workers[this.#rng.integer(0, Math.max(1, workers.length))]
    if (worker === undefined) return
    this.killedWorkers.add(worker.pid)
    process.kill(worker.pid, 'SIGKILL')
  }
}

/** The process that serves. */
export async function schedulerPid({ cluster }: LocalMesh): Promise<number> {
  const address = await readAddress(meshDirOf(cluster.name), 'scheduler')
  if (address === undefined) throw new Error('the mesh has no scheduler')
  return address.pid
}
