import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

import type { SeedEnd } from './seed-program.js'

/** Runs SEEDS seeds from FIRST on, on every core; ends with 1 when one of them fails. */
const exitCodes = { clean: 0, failed: 1, usage: 2 }
const progressMs = 10_000
const mostFailures = 3

async function run(env: NodeJS.ProcessEnv): Promise<number> {
  const [first, seeds] = [Number(env['FIRST'] || 1), Number(env['SEEDS'] || 1_000)]
  if (!Number.isInteger(first) || !Number.isInteger(seeds) || first < 0 || seeds < 1) {
    process.stderr.write('FIRST and SEEDS are whole numbers: make sim SEEDS=1000 FIRST=1\n')
    return exitCodes.usage
  }
  const startedAtMs = Date.now()
  const cores = Math.min(seeds, availableParallelism())
  const failed: number[] = []
  let clean = 0
  const say = (): void => {
    const ranS = Math.max(1, Math.round((Date.now() - startedAtMs) / 1_000))
    const rate = Math.round((60 * (clean + failed.length)) / ranS)
    print(
      `${clean + failed.length}/${seeds} seeds in ${ranS} s (${rate} a minute): ${clean} clean, ${failed.length} failed`,
    )
  }
  const timer = setInterval(say, progressMs)
  const program = fileURLToPath(new URL('seed-program.ts', import.meta.url))
  const children: ChildProcess[] = []
  const codes = await Promise.all(
    Array.from({ length: cores }, (_, core) => {
      const child = fork(program, [String(first + core), String(first + seeds), String(cores)])
      children.push(child)
      child.on('message', ({ seed, failure }: SeedEnd) => {
        if (failure === undefined) {
          clean++
          return
        }
        failed.push(seed)
        print(failure)
        if (failed.length >= mostFailures) for (const each of children) each.kill()
      })
      return new Promise<number | null>((resolve) => child.on('exit', resolve))
    }),
  )
  clearInterval(timer)
  say()
  if (failed.length > 0) print(`failed: ${failed.sort((a, b) => a - b).join(', ')}`)
  const isWhole = codes.every((code) => code === 0) && clean === seeds
  return isWhole ? exitCodes.clean : exitCodes.failed
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

process.exitCode = await run(process.env)
