import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { type Answer, answer, type Asked } from './answers.js'
import { FakeJobs } from './fake-jobs.js'
import type { Refusal } from './refusals.js'

/** What a command does that is not as it should be. */
export type Fault =
  /** Says this and does nothing. */
  | { readonly kind: 'refuse'; readonly refusal: Refusal }
  /** Does what it was asked for, and then says that it failed. */
  | { readonly kind: 'failThoughDone'; readonly refusal: Refusal }
  /** Does what it was asked for, and then says something else. */
  | { readonly kind: 'garbage'; readonly stdout: string }
  /** Never answers: whoever asked must lose patience. Done or not, before. */
  | { readonly kind: 'silence'; readonly done?: boolean }
  /** Answers when told to. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> }

/** A call of a command, as it was answered. */
export interface FakeCall extends Asked {
  readonly atMs: number
}

export type FakeCommand = (typeof commands)[number]

const commands = ['sbatch', 'squeue', 'scancel', 'sacct'] as const
const program = fileURLToPath(new URL('command.mjs', import.meta.url))

/**
 * SLURM's commands on PATH without a SLURM: for what a real one does not do on demand. Jobs never run by themselves; the test
 * says what becomes of them. Every call is an event that can be waited for.
 */
export class FakeSlurm implements AsyncDisposable {
  readonly jobs = new FakeJobs()
  /** In the order in which they came in. */
  readonly calls: FakeCall[] = []
  /** What the commands say they are. */
  version = '22.05.8'
  readonly #dir: string
  readonly #faults = new Map<string, { readonly fault: Fault; times: number }>()
  readonly #open = new Set<Socket>()
  readonly #server = createServer({ allowHalfOpen: true }, (socket) => void this.#serve(socket))
  #listeners: ((call: FakeCall) => void)[] = []

  private constructor(dir: string) {
    this.#dir = dir
  }

  static async start(): Promise<FakeSlurm> {
    const fake = new FakeSlurm(await mkdtemp(path.join(tmpdir(), 'costate-fake-')))
    fake.#server.listen(fake.#socketPath)
    await once(fake.#server, 'listening')
    for (const command of commands) await fake.install(command)
    return fake
  }

  /** What whoever is to meet the fake needs in its environment. */
  get env(): Readonly<Record<string, string>> {
    return { PATH: `${this.#dir}${path.delimiter}${process.env['PATH'] ?? ''}` }
  }

  /** The folder with the commands and nothing else, for a PATH without any other SLURM. */
  get binDir(): string {
    return this.#dir
  }

  async install(command: FakeCommand): Promise<void> {
    const file = path.join(this.#dir, command)
    const words = [process.execPath, program, this.#socketPath, command].map((word) => `'${word}'`)
    await writeFile(file, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`)
    await chmod(file, 0o755)
  }

  async uninstall(command: FakeCommand): Promise<void> {
    await rm(path.join(this.#dir, command), { force: true })
  }

  /** From now on the command does this, so many times; for ever unless told. */
  fail(command: FakeCommand, fault: Fault, times = Infinity): void {
    this.#faults.set(command, { fault, times })
  }

  /** The command works again. */
  heal(command: FakeCommand): void {
    this.#faults.delete(command)
  }

  callsOf(command: FakeCommand): FakeCall[] {
    return this.calls.filter((call) => call.command === command && !call.args.includes('--version'))
  }

  /** Resolves with the next call of a command that comes in from now on. */
  async nextCall(command: FakeCommand): Promise<FakeCall> {
    return await new Promise((resolve) => {
      const listener = (call: FakeCall): void => {
        if (call.command !== command || call.args.includes('--version')) return
        this.#listeners = this.#listeners.filter((one) => one !== listener)
        resolve(call)
      }
      this.#listeners.push(listener)
    })
  }

  /** Resolves when the command has been called so many times since the fake was started. */
  async callCount(command: FakeCommand, count: number): Promise<void> {
    while (this.callsOf(command).length < count) await this.nextCall(command)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
    await rm(this.#dir, { recursive: true, force: true })
  }

  get #socketPath(): string {
    return path.join(this.#dir, 'socket')
  }

  async #serve(socket: Socket): Promise<void> {
    this.#open.add(socket)
    socket.on('close', () => this.#open.delete(socket))
    // Whoever lost patience is gone.
    socket.on('error', () => undefined)
    const chunks: Buffer[] = []
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    // A command that was killed before it had asked.
    if (!text.endsWith('}')) return void socket.end()
    const asked = JSON.parse(text) as Asked
    const call = { ...asked, atMs: Date.now() }
    const said = await this.#answer(call)
    this.calls.push(call)
    if (said !== undefined) socket.end(JSON.stringify(said))
    for (const listener of [...this.#listeners]) listener(call)
  }

  /** @returns undefined for silence. */
  async #answer(asked: Asked): Promise<Answer | undefined> {
    const fault = asked.args.includes('--version') ? undefined : this.#faultOf(asked.command)
    if (fault?.kind === 'refuse') return { stdout: '', ...fault.refusal }
    if (fault?.kind === 'hold') await fault.until
    if (fault?.kind === 'silence' && !fault.done) return undefined
    const usual = answer(asked, this.jobs, this.version)
    if (fault?.kind === 'silence') return undefined
    if (fault?.kind === 'failThoughDone') return { stdout: '', ...fault.refusal }
    if (fault?.kind === 'garbage') return { ...usual, stdout: fault.stdout }
    return usual
  }

  #faultOf(command: string): Fault | undefined {
    const found = this.#faults.get(command)
    if (found === undefined || found.times <= 0) return undefined
    found.times -= 1
    return found.fault
  }
}
