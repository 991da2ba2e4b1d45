import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { packageRoot } from '../harness/local-mesh.js'
import { type ProgramEnd, runToEnd } from '../harness/program.js'

/** The demos as `make demo` runs them, from the build. */
const program = path.join(packageRoot, 'dist', 'libs', 'demos', 'main.js')
const names = [
  ...['local-cluster', 'parallel-computation', 'hyperparameter-optimisation', 'pipeline'],
  ...['map-reduce', 'fault-tolerance', 'complete-workflow'],
]

let workDir: string

beforeAll(async () => {
  workDir = await mkdtemp(path.join(tmpdir(), 'costate-test-'))
})

afterAll(async () => {
  await rm(workDir, { recursive: true, force: true })
})

async function runDemo(args: readonly string[], nodeFlags: readonly string[] = []): Promise<ProgramEnd> {
  const env = { COSTATE_HOME: path.join(workDir, 'home'), NO_COLOR: '1' }
  return await runToEnd(process.execPath, [...nodeFlags, program, ...args], { cwd: workDir, env })
}

interface Told {
  readonly name: string
  readonly isInline: boolean
  readonly verdict: 'right' | 'wrong'
  readonly checks: readonly { readonly isRight: boolean }[]
  readonly report: string
}

test.each(names)(
  'the demo %s comes out right on a local cluster, and draws its report',
  { timeout: 300_000 },
  async (name) => {
    const { code, stdout, stderr } = await runDemo([name, '--reduced', '--json', '--out', name])
    expect({ code, stderr }).toMatchObject({ code: 0 })
    const told = JSON.parse(stdout) as Told
    expect(told).toMatchObject({
      name,
      isInline: false,
      verdict: 'right',
      report: path.join(workDir, name, 'report.html'),
    })
    expect(told.checks.length).toBeGreaterThan(1)
    expect(told.checks.filter(({ isRight }) => !isRight)).toEqual([])
    expect(await readFile(path.join(workDir, name, 'results.json'), 'utf8')).toBe(stdout)

    // Self-contained: nothing is loaded, and nothing points out of the page.
    const report = await readFile(told.report, 'utf8')
    expect(report).toMatch(/^<!DOCTYPE html>[^]*✓[^]*<svg[^]*<\/html>\s*$/)
    expect(report).not.toMatch(/<script|<iframe|<img|@import|url\(|https?:\/\/(?!www\.w3\.org\/2000\/svg)/)
    const links = [...report.matchAll(/(?:href|src)="([^"]*)"/g)].map((match) => match[1]!)
    expect(links.filter((link) => !/^(#|data:)/.test(link))).toEqual([])
    // It left no mesh behind.
    expect(await readdir(path.join(workDir, 'home', 'meshes'))).toEqual([])
  },
)

test('a worker really dies in the demo of fault tolerance, and its task goes on', { timeout: 300_000 }, async () => {
  const { code, stdout, stderr } = await runDemo(['fault-tolerance', '--reduced', '--out', 'killed'])
  expect(code).toBe(0)
  expect(stdout).toContain('✓ fault-tolerance: Right: all 4 answers agree with their references.')
  const pid = /kill -9 (\d+): worker w-\S+ is gone/.exec(stderr)?.[1]
  const report = await readFile(path.join(workDir, 'killed', 'report.html'), 'utf8')
  for (const said of [`attempt 1, process ${pid}`, 'attempt 2, process', `kill -9 ${pid}`])
    expect(report).toContain(said)
})

/** Where no process can be started: a sandbox, or a limit that is reached. */
const refuseProcesses = `--import=${dataUrl(`
  import processes from 'node:child_process'
  import { syncBuiltinESMExports } from 'node:module'
  processes.spawn = () => { throw Object.assign(new Error('spawn EPERM'), { code: 'EPERM', syscall: 'spawn' }) }
  syncBuiltinESMExports()`)}`

test.each(names)('where no process can be started, %s runs inline and says so', { timeout: 300_000 }, async (name) => {
  const { code, stdout, stderr } = await runDemo([name, '--reduced', '--out', `${name}-inline`], [refuseProcesses])
  expect({ code, stdout }).toMatchObject({ code: 0 })
  expect(stderr).toContain('inline: no process can be started here (spawn EPERM), so everything runs in this one')
  expect(stdout).toContain(`✓ ${name}: Right: `)
  const report = await readFile(path.join(workDir, `${name}-inline`, 'report.html'), 'utf8')
  expect(report).toContain('an inline cluster, in the process of the program')
})

test('a computation that goes wrong ends with a wrong verdict, and with 1', { timeout: 120_000 }, async () => {
  // The sieve forgets the prime 2.
  const hooks = `export async function load(url, context, next) {
    const loaded = await next(url, context)
    if (!url.endsWith('/map-reduce/map-reduce.js')) return loaded
    return { ...loaded, source: String(loaded.source).replace('Math.max(2, from)', 'Math.max(3, from)') }
  }`
  const plant = `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(hooks))})`
  const args = ['map-reduce', '--inline', '--reduced', '--out', 'wrong']
  const { code, stdout } = await runDemo(args, [`--import=${dataUrl(plant)}`])
  expect(code).toBe(1)
  expect(stdout).toContain('✗ map-reduce: Wrong: 2 of 4 answers do not agree with the reference.')
  expect(stdout).toContain('their sum below 2,000,000: 142,913,828,920, reference 142,913,828,922 (exact).')
  const report = await readFile(path.join(workDir, 'wrong', 'report.html'), 'utf8')
  expect(report).toContain('<title>✗ Costate demo map-reduce</title>')
  expect(report).toContain('0 right')
})

test(
  'without a name the demos are listed; a name that is none is refused with the nearest',
  { timeout: 60_000 },
  async () => {
    const listed = await runDemo([])
    expect(listed).toMatchObject({ code: 0, stderr: '' })
    expect(
      listed.stdout
        .trim()
        .split('\n')
        .map((line) => line.trim().split(' ')[0]),
    ).toEqual(names)
    const refused = await runDemo(['pipe-line'])
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain("there is no demo 'pipe-line'; did you mean pipeline?")
  },
)

function dataUrl(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`
}
