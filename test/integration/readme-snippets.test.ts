import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import * as control from 'costate/control'
import * as learning from 'costate/learning'
import * as primitives from 'costate/primitives'
import { expect, test } from 'vitest'

import { packageRoot } from '../harness/local-mesh.js'
import { type ProgramEnd, runToEnd } from '../harness/program.js'

/** The snippet behind `<!-- test: name -->` in a README. */
async function snippet(readme: string, name: string): Promise<string> {
  const text = await readFile(path.join(packageRoot, readme), 'utf8')
  const found = new RegExp(`<!-- test: ${name} -->\\n+\`\`\`ts\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1]
  if (found === undefined) throw new Error(`${readme} has no snippet ${name}`)
  return found
}

/** All of a README. */
async function snippetsOf(readme: string): Promise<{ name: string; text: string }[]> {
  const text = await readFile(path.join(packageRoot, readme), 'utf8')
  const names = [...text.matchAll(/<!-- test: (.+) -->/g)].map((match) => match[1]!)
  return await Promise.all(names.map(async (name) => ({ name, text: await snippet(readme, name) })))
}

/** Runs a snippet as a user would. */
async function runSnippet(readme: string, name: string): Promise<ProgramEnd> {
  const folder = await userFolder()
  await writeFile(path.join(folder, 'program.ts'), await snippet(readme, name))
  const tsx = path.join(packageRoot, 'node_modules', '.bin', 'tsx')
  const end = await runToEnd(tsx, ['program.ts'], { cwd: folder, env: { COSTATE_HOME: path.join(folder, 'home') } })
  await rm(folder, { recursive: true, force: true })
  return end
}

/** A folder of a user's, with the package installed. */
async function userFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'costate-snippet-'))
  await mkdir(path.join(folder, 'node_modules'))
  await symlink(packageRoot, path.join(folder, 'node_modules', 'costate'))
  await writeFile(path.join(folder, 'package.json'), '{ "name": "user", "type": "module" }')
  return folder
}

test('the example of the primitives runs as it stands, and prints what it says', async () => {
  const { stdout, stderr, code } = await runSnippet('libs/primitives/README.md', 'primitives-example')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.trim().split('\n')).toEqual([
    'sweep 0',
    'map [ 2, undefined, 3 ] 2',
    'pi true true',
    'best true 1.00 -2.00',
    'longest 7',
    'pipeline 5050',
    'once 4',
    'folds [ 3.5, 0.5, 2.5 ]',
    'chaos 7.000000 24.000000 0.250',
    'ensemble 4',
  ])
}, 180_000)

test('the example of the learning pieces runs as it stands, and prints what it says', async () => {
  const { stdout, stderr, code } = await runSnippet('libs/learning/README.md', 'learning-example')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.trim().split('\n')).toEqual(['members 0110 0110 0110', 'neighbour 0', 'line 2.000000 1.000000'])
}, 180_000)

test('the example of the control pack runs as it stands, and prints what it says', async () => {
  const { stdout, stderr, code } = await runSnippet('libs/control/README.md', 'control-example')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.trim().split('\n')).toEqual([
    'transfer solved 5.0000 true true',
    'regulator true',
    'estimate 0.100 2',
    'swing-up solved true',
    'mpc true',
    'receding horizon solved',
  ])
}, 180_000)

test('the example of a profile runs as it stands', async () => {
  const { stdout, stderr, code } = await runSnippet('libs/profile/README.md', 'profile')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(
    /^\d+\.\d\d times one worker, \d+ % of the slots\nno number of workers needs less than \d+ ms\n/,
  )
  expect(stdout).toMatch(/^compute: \d+\.\d\d ms per task$/m)
}, 180_000)

test('the example of designs, folds and tables runs as it stands, and prints what it says', async () => {
  const { stdout, stderr, code } = await runSnippet('libs/primitives/README.md', 'primitives-designs')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.trim().split('\n')).toEqual([
    "sweep [ '0.667', '1.000' ] [ 1 ]",
    'latin [ 0, 1, 2, 3 ]',
    "sobol [ '0 0', '0.5 0.5', '0.75 0.25', '0.25 0.75' ]",
    "halton [ '0.500 0.333', '0.250 0.667', '0.750 0.111' ]",
    "folds [ '0 1', '2 3', '4 5' ]",
    'together Float64Array(2) [ 2, 2 ] Float64Array(2) [ 1.414, 0 ]',
    'methods random grid latin sobol halton cmaes ga sa de successiveHalving',
  ])
}, 180_000)

test('the example of the equations of control runs as it stands, and prints what it says', async () => {
  const { stdout, stderr, code } = await runSnippet('libs/control/README.md', 'control-equations')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  // P of the scalar regulator is a ratio of Fibonacci numbers: 21/13, 8/5, 3/2, 1.
  expect(stdout.trim().split('\n')).toEqual([
    'riccati 1.618034 the golden ratio',
    "finite horizon [ '1.6154', '1.6000', '1.5000', '1.0000', '0.0000' ]",
    'lyapunov 1 and in steps 4',
    'turn Float64Array(4) [ 0, 1, -1, 0 ] true',
    "nearest solved [ '1.0000', '1.0000' ]",
    'Bryson–Denham, x ≤ 0.1 solved true',
    'van der Pol, T = 2 solved true',
    'Rayleigh, case A solved true',
    'guesses true 4.4444',
  ])
}, 180_000)

test('the example of the pieces of learning runs as it stands, and prints what it says', async () => {
  const { stdout, stderr, code } = await runSnippet('libs/learning/README.md', 'learning-pieces')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.trim().split('\n')).toEqual(['descent 13 true', 'nearest [ 4, 3 ] 0.625', 'line [ 5, 7 ]'])
}, 180_000)

test.each([
  ['primitives', primitives],
  ['control', control],
  ['learning', learning],
])('all that costate/%s exports is in an example that runs, one click from the README', async (lib, exported) => {
  expect(await readFile(path.join(packageRoot, 'README.md'), 'utf8')).toContain(`](libs/${lib})`)
  const examples = await snippetsOf(`libs/${lib}/README.md`)
  const programs = examples.map(({ text }) => text.replace(/import \{[^}]*\} from '[^']*'/g, '')).join('\n')
  expect(Object.keys(exported).filter((name) => !new RegExp(`\\b${name}\\b`).test(programs))).toEqual([])
})

test('the examples say what the types say', async () => {
  const folder = await userFolder()
  const libs = ['primitives', 'control', 'learning', 'profile']
  const readmes = ['README.md', ...libs.map((lib) => `libs/${lib}/README.md`)]
  const examples = (await Promise.all(readmes.map(snippetsOf))).flat()
  expect(examples.length).toBeGreaterThanOrEqual(8)
  for (const { name, text } of examples) await writeFile(path.join(folder, `${name}.ts`), text)
  const files = examples.map(({ name }) => `${name}.ts`)
  await symlink(path.join(packageRoot, 'node_modules', '@types'), path.join(folder, 'node_modules', '@types'))
  const tsc = path.join(packageRoot, 'node_modules', '.bin', 'tsc')
  const flags = ['--noEmit', '--strict', '--noUncheckedIndexedAccess', '--skipLibCheck']
  const language = [
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--lib',
    'es2023,esnext.disposable',
    '--types',
    'node',
  ]
  const { code, stdout } = await runToEnd(tsc, [...flags, ...language, ...files], { cwd: folder })
  await rm(folder, { recursive: true, force: true })
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
}, 180_000)
