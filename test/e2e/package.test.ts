import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { packageRoot } from '../harness/local-mesh.js'

const run = promisify(execFile)

let folder: string
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'costate-package-'))
  env = { ...process.env, COSTATE_HOME: path.join(folder, 'home') }
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: packageRoot,
  })
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  const { devDependencies } = JSON.parse(await readFile(path.join(packageRoot, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>
  }
  // A dependency of the user's own, which the mesh knows nothing of.
  await mkdir(path.join(folder, 'polynomial'))
  await writeFile(
    path.join(folder, 'polynomial', 'package.json'),
    '{ "name": "polynomial", "version": "1.0.0", "main": "index.js" }',
  )
  await writeFile(
    path.join(folder, 'polynomial', 'index.js'),
    'exports.evaluate = (coefficients, x) => coefficients.reduceRight((sum, c) => sum * x + c, 0)\n',
  )
  await writeFile(path.join(folder, 'package.json'), '{ "name": "user", "type": "module" }')
  const packages = [`./${filename}`, './polynomial', `tsx@${devDependencies['tsx']}`]
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages], { cwd: folder })
}, 180_000)

afterAll(async () => rm(folder, { recursive: true, force: true }))

test('the README’s example runs from the installed package', async () => {
  const readme = await readFile(path.join(packageRoot, 'README.md'), 'utf8')
  const example = /<!-- test: readme-example -->\n```ts\n([\s\S]*?)```/.exec(readme)?.[1]
  await writeFile(path.join(folder, 'sweep.ts'), example as string)
  const { stdout } = await run(path.join(folder, 'node_modules', '.bin', 'tsx'), ['sweep.ts'], { cwd: folder, env })
  // The published costs: 4/(9ℓ) up to ℓ = 1/6, then 2 + 6(1 − 4ℓ)².
  const costs = [...stdout.matchAll(/bound ([\d.]+): cost ([\d.]+)/g)].map(([, bound, cost]) => [
    Number(bound),
    Number(cost),
  ])
  expect(costs.map(([bound]) => bound)).toEqual([0.05, 0.1, 0.15, 0.2, 0.25])
  for (const [bound = 0, cost] of costs) {
    const exact = bound <= 1 / 6 ? 4 / (9 * bound) : 2 + 6 * (1 - 4 * bound) ** 2
    expect(Math.abs((cost as number) / exact - 1)).toBeLessThan(2e-4)
  }
})

test('a user’s module with a dependency of its own runs unchanged', async () => {
  await writeFile(
    path.join(folder, 'own.mjs'),
    `import { evaluate } from 'polynomial'
     import { createLocalCluster, main, task } from 'costate'
     export const value = task(import.meta, 'value', async (x) => evaluate([1, 2, 3], x))
     main(import.meta, async () => {
       const cluster = await createLocalCluster({ workers: 1 })
       console.log(JSON.stringify(await cluster.gather(cluster.map(value, [0, 1, 2]))))
       await cluster.close()
     })`,
  )
  const { stdout } = await run(process.execPath, ['own.mjs'], { cwd: folder, env })
  expect(JSON.parse(stdout)).toEqual([1, 6, 17])
})

test('the command is installed', async () => {
  const { stdout } = await run(path.join(folder, 'node_modules', '.bin', 'costate'), ['--help'], { cwd: folder, env })
  expect(stdout).toContain('trace')
})
