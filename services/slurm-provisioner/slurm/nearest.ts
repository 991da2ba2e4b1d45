/** What people call a setting elsewhere: in sbatch, dask-jobqueue or an older pools file. */
const otherNames: Readonly<Record<string, string>> = {
  queue: 'partition',
  project: 'account',
  time: 'walltime',
  timeLimit: 'walltime',
  mem: 'memory',
  cores: 'cpus',
  cpusPerTask: 'cpus',
  threads: 'slots',
  processes: 'workersPerNode',
  modulesToLoad: 'modules',
  module: 'modules',
  extra: 'directives',
  jobExtraDirectives: 'directives',
  jobScriptPrologue: 'prologue',
  jobScriptEpilogue: 'epilogue',
  minimum: 'minWorkers',
  maximum: 'maxWorkers',
  workers: 'maxWorkers',
  gpus: 'gres',
  python: 'node',
  signal: 'signalLead',
}

/** The known word that an unknown one was probably meant to be; nothing when none is near. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const other = otherNames[word] ?? otherNames[camelCase(word)]
  if (other !== undefined && known.includes(other)) return other
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_]/g, '')
  const [nearest] = known
    .map((name) => ({ name, distance: distanceBetween(plain(word), plain(name)) }))
    .filter(({ name, distance }) => distance <= Math.max(1, Math.floor(name.length / 3)))
    .sort((a, b) => a.distance - b.distance)
  return nearest?.name
}

function camelCase(word: string): string {
  return word.replaceAll(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** How many letters must be added, removed or changed (Levenshtein 1966). */
function distanceBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1]
    for (const [j, other] of Array.from(b).entries()) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (letter === other ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
