import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const pollMs = 10
const mostPolls = 3_000

/** Lets the schedulers that are started from now on say how large their heaps are, until it is disposed of. */
export function answerHeapQuestions(): Disposable {
  const directory = mkdtempSync(path.join(tmpdir(), 'costate-bench-heap-'))
  const { env } = process
  const options = env['NODE_OPTIONS']
  env['COSTATE_BENCH_HEAP_DIR'] = directory
  env['NODE_OPTIONS'] = `${options ?? ''} --import=${new URL('./preload.mjs', import.meta.url).href}`.trim()
  return {
    [Symbol.dispose]: () => {
      delete env['COSTATE_BENCH_HEAP_DIR']
      if (options === undefined) delete env['NODE_OPTIONS']
      else env['NODE_OPTIONS'] = options
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** What a scheduler's heap and the memory outside that hangs on it hold after a collection, in bytes. */
export async function heapBytesOf(pid: number): Promise<number> {
  const file = path.join(process.env['COSTATE_BENCH_HEAP_DIR'] ?? '', String(pid))
  await rm(file, { force: true })
  process.kill(pid, 'SIGUSR2')
  for (let poll = 0; poll < mostPolls; poll++) {
    await pause(pollMs)
    const answer = await readFile(file, 'utf8').catch(() => undefined)
    if (answer !== undefined) return Number(answer)
  }
  throw new Error(`process ${pid} did not say how large its heap is`)
}
