import { type ChildProcess, spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import path from 'node:path'

import { waitForAddress } from '#libs/lifecycle'

import { packageRoot } from '../local-mesh.js'

const program = path.join(packageRoot, 'dist', 'services', 'slurm-provisioner', 'main.cjs')
const service = 'slurm-provisioner'
const startTimeoutMs = 60_000
const pollInterval = '300ms'

/** A provisioner of the build, as a process of its own. */
export class ProvisionerProcess {
  /** Resolves with its exit code, null when it was killed. */
  readonly ended: Promise<number | null>
  readonly #child: ChildProcess
  #written = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (data: Buffer) => (this.#written += data.toString()))
    }
    this.ended = new Promise((resolve) => child.on('close', resolve))
  }

  /** Starts one; it polls SLURM a few times a second unless told otherwise. `env` says which SLURM. */
  static launch(meshDir: string, flags: readonly string[], env: Readonly<Record<string, string>>): ProvisionerProcess {
    const often = flags.includes('--poll-interval') ? [] : ['--poll-interval', pollInterval]
    const args = [program, '--mesh-dir', meshDir, ...often, ...flags]
    const child = spawn(process.execPath, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      // It ends with this process, however this process ends.
      env: { ...process.env, COSTATE_OWNED: '1', ...env },
    })
    return new ProvisionerProcess(child)
  }

  /** The same, and waits until it serves. @throws Error with what it wrote when it ends instead. */
  static async start(
    meshDir: string,
    flags: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<ProvisionerProcess> {
    // What one before it wrote says nothing of this one.
    await rm(path.join(meshDir, 'addresses', `${service}.json`), { force: true })
    const started = ProvisionerProcess.launch(meshDir, flags, env)
    const serves = waitForAddress(meshDir, service, AbortSignal.timeout(startTimeoutMs))
    const endedEarly = started.ended.then((code) => {
      throw new Error(`the provisioner ended with ${code ?? 'a signal'} before it served:\n${started.written}`)
    })
    await Promise.race([serves, endedEarly])
    return started
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Everything that it wrote so far. */
  get written(): string {
    return this.#written
  }

  /** Resolves when it has written what matches. */
  async writes(pattern: RegExp): Promise<string> {
    return await new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(this.#written)
        if (found) resolve(found[0])
      }
      for (const stream of [this.#child.stdout!, this.#child.stderr!]) stream.on('data', look)
      void this.ended.then((code) =>
        reject(
          new Error(
            `the provisioner ended with ${code ?? 'a signal'} before it wrote ${String(pattern)}:\n${this.#written}`,
          ),
        ),
      )
      look()
    })
  }

  /** Ends it at once, as a crash or a loss of its machine would. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }

  /** Ends it in order. @returns its exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    return await this.ended
  }
}
