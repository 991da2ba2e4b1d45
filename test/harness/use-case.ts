import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { packageRoot } from './local-mesh.js'
import { type ProgramEnd, runToEnd } from './program.js'

/** The use cases, each with a size that takes little time. */
export const useCases = [
  ['parameter-sweep', 9],
  ['ensemble-training', 8],
  ['monte-carlo', 400],
] as const

/** The program of a use case as a user has it, outside the repository, with the line changed that says where it runs. */
export async function runUseCase(
  name: string,
  options: {
    readonly size: number
    readonly workers: number
    readonly folder: string
    readonly changeLine: (program: string) => string
    readonly env?: Readonly<Record<string, string>>
  },
): Promise<ProgramEnd> {
  const { size, workers, folder, changeLine, env = {} } = options
  const source = await readFile(path.join(packageRoot, 'libs', 'demos', 'use-cases', `${name}.ts`), 'utf8')
  await mkdir(path.join(folder, 'node_modules'), { recursive: true })
  await symlink(packageRoot, path.join(folder, 'node_modules', 'costate')).catch(() => undefined)
  await writeFile(path.join(folder, 'package.json'), '{ "name": "user", "type": "module" }')
  await writeFile(path.join(folder, `${name}.ts`), changeLine(source))
  const tsx = path.join(packageRoot, 'node_modules', '.bin', 'tsx')
  const words = [`${name}.ts`, String(size), String(workers)]
  return await runToEnd(tsx, words, { cwd: folder, env: { ...env, COSTATE_HOME: path.join(folder, 'home') } })
}

/** Puts the cluster of the comment in the place of the local one. */
export function onSlurm(program: string): string {
  const theirs = /\/\/ On a SLURM cluster: (costate\.createSlurmCluster\(.*\))\n/.exec(program)?.[1]
  const changed = program.replace(/costate\.createLocalCluster\(\{ workers \}\)/, () => theirs ?? '')
  const lines = changed.split('\n').filter((line, nth) => line !== program.split('\n')[nth])
  if (theirs === undefined || lines.length !== 1) throw new Error(`${lines.length} lines changed: one must be enough`)
  return changed
}
