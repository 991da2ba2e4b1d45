import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { expect, test } from 'vitest'

import { packageRoot } from '../harness/local-mesh.js'
import { runToEnd } from '../harness/program.js'

/** The snippet behind `<!-- test: name -->` in a README. */
async function snippet(readme: string, name: string): Promise<string> {
  const text = await readFile(path.join(packageRoot, readme), 'utf8')
  const found = new RegExp(`<!-- test: ${name} -->\\n+\`\`\`ts\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1]
  if (found === undefined) throw new Error(`${readme} has no snippet ${name}`)
  return found
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
  const folder = await userFolder()
  await writeFile(path.join(folder, 'study.ts'), await snippet('libs/primitives/README.md', 'primitives-example'))
  const tsx = path.join(packageRoot, 'node_modules', '.bin', 'tsx')
  const env = { COSTATE_HOME: path.join(folder, 'home') }
  const { stdout, stderr, code } = await runToEnd(tsx, ['study.ts'], { cwd: folder, env })
  await rm(folder, { recursive: true, force: true })

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
  const folder = await userFolder()
  await writeFile(path.join(folder, 'ensemble.ts'), await snippet('libs/learning/README.md', 'learning-example'))
  const tsx = path.join(packageRoot, 'node_modules', '.bin', 'tsx')
  const { stdout, stderr, code } = await runToEnd(tsx, ['ensemble.ts'], { cwd: folder })
  await rm(folder, { recursive: true, force: true })

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.trim().split('\n')).toEqual(['members 0110 0110 0110', 'neighbour 0', 'line 2.000000 1.000000'])
}, 180_000)

test('the example of the control pack runs as it stands, and prints what it says', async () => {
  const folder = await userFolder()
  await writeFile(path.join(folder, 'design.ts'), await snippet('libs/control/README.md', 'control-example'))
  const tsx = path.join(packageRoot, 'node_modules', '.bin', 'tsx')
  const { stdout, stderr, code } = await runToEnd(tsx, ['design.ts'], { cwd: folder })
  await rm(folder, { recursive: true, force: true })

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
  const folder = await userFolder()
  await writeFile(path.join(folder, 'study.ts'), await snippet('libs/profile/README.md', 'profile'))
  const tsx = path.join(packageRoot, 'node_modules', '.bin', 'tsx')
  const env = { COSTATE_HOME: path.join(folder, 'home') }
  const { stdout, stderr, code } = await runToEnd(tsx, ['study.ts'], { cwd: folder, env })
  await rm(folder, { recursive: true, force: true })

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(
    /^\d+\.\d\d times one worker, \d+ % of the slots\nno number of workers needs less than \d+ ms\n/,
  )
  expect(stdout).toMatch(/^compute: \d+\.\d\d ms per task$/m)
}, 180_000)
