import { execFile, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** A Python that has `distributed`. */
export interface DaskInstallation {
  readonly python: string
  readonly versions: {
    readonly python: string
    readonly dask: string
    readonly distributed: string
    readonly numpy: string | null
  }
}

/** Dask in a process of its own, on the same work. */
export interface DaskPeer {
  /** Runs an operation of `peer.py`; durations are in seconds, memory in bytes. */
  ask(operation: string, parameters?: Readonly<Record<string, number>>): Promise<readonly number[]>
  close(): Promise<void>
}

const program = fileURLToPath(new URL('./peer.py', import.meta.url))
const tailLines = 5
const closeGraceMs = 10_000

/** Looks for Dask in the Python that COSTATE_BENCH_PYTHON names, else in `python3`. */
export async function findDask(
  python = process.env['COSTATE_BENCH_PYTHON'] ?? 'python3',
): Promise<DaskInstallation | undefined> {
  try {
    const { stdout } = await promisify(execFile)(python, [program, '--versions'])
    return { python, versions: JSON.parse(stdout) as DaskInstallation['versions'] }
  } catch {
    return undefined
  }
}

/** Starts the process; its clusters are started by what is asked of it. It ends when this program ends. */
export function startDaskPeer({ python }: DaskInstallation): DaskPeer {
  const child = spawn(python, [program], { stdio: ['pipe', 'pipe', 'pipe'] })
  const complaints: string[] = []
  const waiting: { resolve: (numbers: readonly number[]) => void; reject: (error: Error) => void }[] = []
  let isClosing = false
  const fail = (what: string): void => {
    const error = new Error([`the Dask side ${what}`, ...complaints.slice(-tailLines)].join('\n'))
    for (const { reject } of waiting.splice(0)) reject(error)
  }
  child.stdin.on('error', () => undefined)
  const exited = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      fail(`cannot be started: ${error.message}`)
      resolve()
    })
    child.on('close', (code, signal) => {
      if (!isClosing) fail(`ended with ${signal ?? `code ${code ?? 'none'}`}`)
      resolve()
    })
  })
  createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as { readonly numbers?: number[]; readonly error?: string }
    const question = waiting.shift()
    if (answer.numbers) question?.resolve(answer.numbers)
    else question?.reject(new Error(`the Dask side failed: ${answer.error ?? 'no reason was given'}`))
  })
  return {
    ask: (operation, parameters = {}) =>
      new Promise((resolve, reject) => {
        if (child.exitCode !== null) {
          reject(new Error(`the Dask side has ended with code ${child.exitCode}`))
          return
        }
        waiting.push({ resolve, reject })
        child.stdin.write(`${JSON.stringify({ operation, ...parameters })}\n`)
      }),
    close: async () => {
      isClosing = true
      child.stdin.end()
      const killer = setTimeout(() => child.kill('SIGKILL'), closeGraceMs)
      await exited
      clearTimeout(killer)
    },
  }
}
