import { mkdir, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import { usualRepeats } from './contest.js'
import { findDask } from './dask-peer.js'
import { judge, type ReportRow } from './judgement.js'
import { describeMachine } from './machine.js'
import { profileIfAsked } from './profile/profiling.js'
import { measureApart } from './row-process.js'
import { rows as allRows } from './rows/index.js'
import { readRepeats, selectRows, UsageError, warnOfFewRepeats } from './selection.js'
import { createTable } from './table.js'
import { readVersions } from './versions.js'

const root = new URL('../../', import.meta.url)
const exitCodes = { measured: 0, notMeasured: 1, usage: 2 }

/** Measures the rows that are named on the command line, prints them as they finish and writes `bench.json`. */
async function run(words: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const rows = selectRows(allRows, words)
  const repeats = readRepeats(env['REPEATS'])
  const profiles = await profileIfAsked(root)
  const dask = await findDask()
  if (dask === undefined) say(`no Dask in ${env['COSTATE_BENCH_PYTHON'] ?? 'python3'}: its columns stay empty`)
  const about = {
    machine: await describeMachine(),
    versions: await readVersions(root, dask),
    date: new Date().toISOString(),
    repeats: repeats ?? usualRepeats,
  }
  const measured: ReportRow[] = []
  const table = createTable(rows)
  print(table.head)
  for (const row of rows) {
    const runDir = fileURLToPath(new URL(`.costate/bench/${row.name}/`, root))
    await rm(runDir, { recursive: true, force: true })
    await mkdir(runDir, { recursive: true })
    try {
      const result = judge(row, await measureApart({ name: row.name, repeats, dask, runDir }))
      measured.push(result)
      print(table.line(result))
    } catch (error) {
      say(`${row.name} was not measured: ${(error as Error).message}`)
    }
    await writeFile(new URL('bench.json', root), `${JSON.stringify({ ...about, rows: measured }, null, 2)}\n`)
  }
  print(table.foot)
  const fewRepeats = warnOfFewRepeats(repeats)
  if (fewRepeats !== undefined) print(fewRepeats)
  for (const { name, note } of measured) if (note !== undefined) print(`${name}: ${note}`)
  if (dask === undefined) print('Dask was not found (pip install distributed numpy): its columns are empty.')
  if (profiles !== undefined) print(`Profiles are in ${profiles}; under a profiler everything is slower.`)
  return measured.length === rows.length ? exitCodes.measured : exitCodes.notMeasured
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

try {
  process.exitCode = await run(process.argv.slice(2), process.env)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  say(error.message)
  process.exitCode = exitCodes.usage
}
