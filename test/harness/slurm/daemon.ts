import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'

/** How a daemon of the cluster is started. */
export interface DaemonStart {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Where what it writes goes; appended. */
  readonly logFile: string
}

const shownLines = 20
const longestSilenceMs = 60_000

/** A process in the foreground, of which every line is heard and whose end is known at once. */
export class Daemon {
  readonly name: string
  readonly exited: Promise<void>
  readonly #child: ChildProcess
  readonly #last: string[] = []
  #ended = false
  #listeners: ((line: string | undefined) => void)[] = []

  constructor(name: string, { command, args, env, logFile }: DaemonStart) {
    this.name = name
    this.#child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const log = createWriteStream(logFile, { flags: 'a' })
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.pipe(log, { end: false })
      createInterface({ input: stream }).on('line', (line) => this.#hear(line))
    }
    // The end of the process, and not of its pipes: what it started may hold those.
    this.exited = new Promise((resolve) => {
      const end = (): void => {
        this.#ended = true
        this.#tell(undefined)
        resolve()
      }
      this.#child.once('exit', end)
      this.#child.once('close', () => log.end())
      this.#child.once('error', (error) => {
        this.#last.push(error.message)
        end()
      })
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get isRunning(): boolean {
    return !this.#ended
  }

  /** Resolves with the next line that matches. Rejects with the last lines when the daemon ends, or says nothing for a minute. */
  async says(pattern: RegExp): Promise<string> {
    const silence = AbortSignal.timeout(longestSilenceMs)
    return await new Promise<string>((resolve, reject) => {
      const fail = (why: string): void => {
        this.#listeners = this.#listeners.filter((one) => one !== listener)
        const lines = this.#last.join('\n')
        reject(new Error(`${this.name} ${why} before it said ${String(pattern)}; its last lines:\n${lines}`))
      }
      const listener = (line: string | undefined): void => {
        if (line === undefined) fail('ended')
        else if (pattern.test(line)) {
          this.#listeners = this.#listeners.filter((one) => one !== listener)
          resolve(line)
        }
      }
      this.#listeners.push(listener)
      silence.addEventListener('abort', () => fail('said nothing for a minute'))
      if (this.#ended) fail('ended')
    })
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    if (this.isRunning) this.#child.kill('SIGKILL')
    await this.exited
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    if (this.isRunning) this.#child.kill('SIGTERM')
    await this.exited
  }

  /** It answers nobody, and its connections stay open. */
  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  #hear(line: string): void {
    this.#last.push(line)
    if (this.#last.length > shownLines) this.#last.shift()
    this.#tell(line)
  }

  #tell(line: string | undefined): void {
    for (const listener of [...this.#listeners]) listener(line)
  }
}
