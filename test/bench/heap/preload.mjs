// Preloaded into the scheduler with --import: at each SIGUSR2 it collects its garbage and writes how much is left.
import { renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const directory = process.env['COSTATE_BENCH_HEAP_DIR']

if (directory !== undefined && /services[/\\]scheduler[/\\]main\.cjs$/.test(process.argv[1] ?? '')) {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  process.on('SIGUSR2', () => {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    const file = path.join(directory, String(process.pid))
    writeFileSync(`${file}.new`, String(heapUsed + external))
    renameSync(`${file}.new`, file)
  })
}
