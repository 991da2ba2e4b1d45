import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { packageRoot } from '../harness/local-mesh.js'

/** A settle as a client heard it. */
export interface HeardSettle {
  readonly index: number
  readonly value: unknown
  readonly attempt: number
  readonly startedAtMs: number
  readonly heardAtMs: number
}

type Line = Omit<HeardSettle, 'heardAtMs'> | { readonly jobId: string } | { readonly complete: true }

/** A client in a process of its own: what it heard is known also when it was killed. */
export class JobClient {
  readonly heard: HeardSettle[] = []
  /** Resolves when its job is acknowledged, or taken up. */
  readonly jobId: Promise<string>
  /** Resolves with whether it heard of every task before it ended. */
  readonly ended: Promise<boolean>
  readonly #child: ChildProcess
  #wasKilled = false

  constructor(mesh: string, folder: string, words: readonly string[], onSettle: (heard: HeardSettle) => void) {
    const program = fileURLToPath(new URL('client-program.ts', import.meta.url))
    this.#child = spawn(process.execPath, ['--import', 'tsx', program, mesh, folder, ...words], {
      cwd: packageRoot,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let acknowledge!: (jobId: string) => void
    let fail!: (error: Error) => void
    this.jobId = new Promise((resolve, reject) => {
      acknowledge = resolve
      fail = reject
    })
    let isComplete = false
    const { stdout } = this.#child
    if (stdout === null) throw new Error('the client has no output')
    createInterface(stdout).on('line', (text) => {
      const line = parse(text)
      if (line === undefined) return
      if ('jobId' in line) acknowledge(line.jobId)
      else if ('complete' in line) isComplete = true
      else {
        const settle = { ...line, heardAtMs: Date.now() }
        this.heard.push(settle)
        onSettle(settle)
      }
    })
    this.jobId.catch(() => undefined)
    this.ended = new Promise((resolve) => {
      this.#child.on('close', () => {
        fail(new Error('the client ended before its job was acknowledged'))
        resolve(isComplete)
      })
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get wasKilled(): boolean {
    return this.#wasKilled
  }

  async kill(): Promise<void> {
    this.#wasKilled = true
    this.#child.kill('SIGKILL')
    await this.ended
  }
}

/** The last line of a client that was killed may be half a line. */
function parse(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line
  } catch {
    return undefined
  }
}
