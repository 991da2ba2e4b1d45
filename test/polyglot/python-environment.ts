import { existsSync } from 'node:fs'
import { copyFile, readFile } from 'node:fs/promises'
import path from 'node:path'

import { packageRoot } from '../harness/local-mesh.js'
import { runToEnd } from '../harness/program.js'

/** A Python with the packages of requirements.txt, or why there is none. */
export type PythonEnvironment =
  { readonly kind: 'ready'; readonly python: string } | { readonly kind: 'missing'; readonly reason: string }

const folder = path.join(packageRoot, '.venv')
const requirements = path.join(packageRoot, 'test', 'polyglot', 'requirements.txt')
/** What was installed into the folder: only a complete installation leaves it. */
const installed = path.join(folder, 'installed-requirements.txt')

/** Makes `.venv` in the repository's root, unless it is there with the same packages. */
export async function preparePython(): Promise<PythonEnvironment> {
  const python = path.join(folder, 'bin', 'python')
  const wanted = await readFile(requirements, 'utf8')
  if (existsSync(python) && (await readFile(installed, 'utf8').catch(() => '')) === wanted) {
    return { kind: 'ready', python }
  }
  const steps: readonly (readonly [what: string, command: string, ...args: string[]])[] = [
    ['python3 -m venv', 'python3', '-m', 'venv', '--clear', folder],
    ['pip install', python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements],
  ]
  for (const [what, command, ...args] of steps) {
    const { code, stdout, stderr } = await runToEnd(command, args).catch((error: unknown) => ({
      code: 1,
      stdout: '',
      stderr: (error as Error).message,
    }))
    if (code === 0) continue
    const said = `${stderr}\n${stdout}`.trim().split('\n').slice(-3).join('\n')
    return { kind: 'missing', reason: `${what} does not work on this machine:\n${said}` }
  }
  await copyFile(requirements, installed)
  return { kind: 'ready', python }
}
