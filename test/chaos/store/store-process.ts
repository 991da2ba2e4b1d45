import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'

import { readAddress } from '#libs/lifecycle'

import { packageRoot } from '../../harness/local-mesh.js'

const program = path.join(packageRoot, 'dist', 'services', 'checkpoint-store', 'main.cjs')
const startTimeoutMs = 60_000

/** A checkpoint-store of the build that is ended again and again. */
export class StoreProcess {
  readonly #meshDir: string
  readonly #dataDir: string
  #child: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()
  #address = ''

  constructor(meshDir: string, dataDir: string) {
    this.#meshDir = meshDir
    this.#dataDir = dataDir
  }

  /** Where it listens, or listened last. */
  get address(): string {
    return this.#address
  }

  /** Resolves with whether it serves; a failpoint may end it before. */
  async start(failpoint: string): Promise<boolean> {
    const args = [program, '--mesh-dir', this.#meshDir, '--data-dir', this.#dataDir]
    const child = spawn(process.execPath, args, {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...process.env, COSTATE_OWNED: '1', COSTATE_FAILPOINT: failpoint },
    })
    this.#child = child
    const over = new AbortController()
    this.#ended = once(child, 'exit').then(() => over.abort())
    const deadlineMs = Date.now() + startTimeoutMs
    while (Date.now() < deadlineMs) {
      const said = await readAddress(this.#meshDir, 'checkpointStore')
      if (said?.pid === child.pid && said?.addresses[0] !== undefined) {
        this.#address = said.addresses[0]
        return true
      }
      // It was over before the look: what it said last was read.
      if (over.signal.aborted) return false
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error('the checkpoint-store did not say where it listens')
  }

  /** Resolves when it has ended, killed after so long if it has not by itself; says whether it had. */
  async end(withinMs: number): Promise<boolean> {
    let byItself = true
    const timer = setTimeout(() => {
      byItself = false
      this.#child?.kill('SIGKILL')
    }, withinMs)
    await this.#ended
    clearTimeout(timer)
    return byItself
  }

  async stop(): Promise<void> {
    this.#child?.kill('SIGTERM')
    await this.#ended
  }
}
