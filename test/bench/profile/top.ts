import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { type CpuProfile, summarize } from './summary.js'

const shown = 25

/** Prints where the time of `.cpuprofile` files went: by package, by function, and below the project's own functions. */
for (const file of process.argv.slice(2)) {
  const { busyMs, totalMs, packages, self, total } = summarize(JSON.parse(await readFile(file, 'utf8')) as CpuProfile)
  const line = ([name, ms]: readonly [string, number]): string =>
    `${ms.toFixed(1).padStart(10)} ms ${((100 * ms) / busyMs).toFixed(1).padStart(5)} %  ${name}`
  const list = (title: string, entries: readonly (readonly [string, number])[]): string =>
    [title, ...entries.slice(0, shown).map(line)].join('\n')
  process.stdout.write(
    [
      `\n== ${path.basename(file)}: busy ${busyMs.toFixed(0)} of ${totalMs.toFixed(0)} ms`,
      list('by package', packages),
      list('by function, itself', self),
      list('by function of ours, with what it calls', total),
      '',
    ].join('\n'),
  )
}
