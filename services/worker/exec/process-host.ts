import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

import type { TaskFailure } from '#libs/domain'

import type { ChildMemory } from './child-memory.js'
import { createFrameReader } from './message-frames.js'
import { createFrameSender } from './frame-sender.js'
import type { HostEvents, SlotHost, StartHost } from './slot-host.js'
import type { SlotNews } from './slot-messages.js'

/** What a process wrote last is read for so long after its end; a process that it started may keep its pipes open for ever. */
const lastWordsMs = 50
/** A process that ends before it said anything is not started again at once: the next one would do the same. */
const restartMs = 1_000

/** What the worker was told is none of its tasks' business. */
const ownVariables = ['OWNED', 'SUPERVISED', 'SERVICE', 'INSTANCE', 'ID', 'PREDECESSOR', 'MESH_DIR'].map(
  (name) => `COSTATE_${name}`,
)

/** A process for each slot: whatever its tasks do to it, they do it to nobody else. */
export function createProcessHosts(program: URL, memory: ChildMemory): StartHost {
  return (_slot, events) => new ProcessHost(program, memory, events)
}

class ProcessHost implements SlotHost {
  readonly claims = undefined
  readonly #child: ChildProcess
  readonly #memory: ChildMemory
  readonly #events: HostEvents
  readonly #post: (message: unknown) => void
  readonly #startedAtMs = Date.now()
  #broken: TaskFailure | undefined
  #said = false
  #stopped = false
  #isOutOfHeap = false
  #isFinished = false
  #gone!: () => void
  readonly #over = new Promise<void>((resolve) => (this.#gone = resolve))

  constructor(program: URL, memory: ChildMemory, events: HostEvents) {
    this.#memory = memory
    this.#events = events
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ownVariables.includes(name)))
    // A group of its own: what the task started ends with it. The fourth pipe ends with this process.
    const child = spawn(process.execPath, [fileURLToPath(program)], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
      detached: true,
      env,
    })
    this.#child = child
    const sender = createFrameSender((frame, written) => child.send(frame, written))
    this.#post = (message) => sender.send(message)
    const read = createFrameReader((message) => this.#hear(message as SlotNews))
    child.on('message', (frame) => read(frame as Uint8Array))
    if (child.stdout) this.#readLines(child.stdout, 'info')
    if (child.stderr) this.#readLines(child.stderr, 'error')
    child.stdio[3]?.on('error', () => undefined)
    memory.watch(child)
    child.once('error', (error) => this.#finish(lostTo(`could not be started: ${error.message}`)))
    child.once('exit', (code, signal) => {
      const finish = (): void => this.#finish(this.#exitOf(code, signal))
      const timer = setTimeout(finish, lastWordsMs)
      child.once('close', () => {
        clearTimeout(timer)
        finish()
      })
    })
  }

  post(message: Parameters<SlotHost['post']>[0]): void {
    this.#post(message)
  }

  /** What it says is heard as it comes. */
  catchUp(): void {}

  end(): void {
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It is gone already.
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.end()
    await this.#over
  }

  #hear(message: SlotNews): void {
    if (this.#isFinished) return
    this.#said = true
    if (message.kind === 'broken') this.#broken = message.failure
    else this.#events.heard(message)
  }

  #readLines(stream: Readable, level: 'info' | 'error'): void {
    createInterface({ input: stream }).on('line', (text) => {
      this.#isOutOfHeap ||= level === 'error' && text.includes('heap out of memory')
      if (!this.#isFinished) this.#events.wrote(level, text)
    })
  }

  #finish(failure: TaskFailure): void {
    if (this.#isFinished) return
    this.#isFinished = true
    // What the task started, and did not end, has no slot any more.
    this.end()
    this.#gone()
    if (this.#stopped) return
    const pauseMs = this.#said ? 0 : Math.max(0, this.#startedAtMs + restartMs - Date.now())
    if (pauseMs === 0) this.#events.ended(failure)
    else setTimeout(() => !this.#stopped && this.#events.ended(failure), pauseMs)
  }

  #exitOf(code: number | null, signal: NodeJS.Signals | null): TaskFailure {
    const overLimit = this.#memory.overLimit(this.#child)
    if (overLimit) return overLimit
    if (this.#broken) return this.#broken
    if (this.#isOutOfHeap) {
      const message = `the task's process ran out of JavaScript heap (${signal ?? `exit code ${code}`})`
      return { kind: 'outOfMemory', reason: 'HEAP_LIMIT', message }
    }
    if (signal !== null) return lostTo(`was ended by ${signal}`)
    const message = `the task ended its process with process.exit(${code}): return or throw instead`
    return { kind: 'userError', reason: 'TASK_EXITED', message }
  }
}

function lostTo(how: string): TaskFailure {
  return { kind: 'workerLost', reason: 'TASK_PROCESS_LOST', message: `the task's process ${how}` }
}
