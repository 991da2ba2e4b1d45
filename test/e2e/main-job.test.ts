import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { packageRoot } from '../harness/local-mesh.js'

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

let workDir: string

beforeAll(async () => {
  workDir = await mkdtemp(path.join(tmpdir(), 'costate-test-'))
})

afterAll(async () => {
  await rm(workDir, { recursive: true, force: true })
})

/** Runs a program of the build in the working folder; `onOutput` may end it. */
async function run(
  program: string,
  args: readonly string[],
  onOutput: (stdout: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<Ended> {
  const [nodeFlags, flags] = [
    args.filter((arg) => arg.startsWith('--import=')),
    args.filter((arg) => !arg.startsWith('--import=')),
  ]
  const child = spawn(process.execPath, [...nodeFlags, path.join(packageRoot, 'dist', 'libs', program), ...flags], {
    cwd: workDir,
    env: { ...process.env, COSTATE_HOME: path.join(workDir, 'home'), NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
    onOutput(output.stdout, (signal) => child.kill(signal))
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, ...output }
}

const mainJob = 'demos/main-job/main.js'

interface Results {
  readonly verdict: { readonly isGood: boolean }
  readonly jobId: string
  readonly traceId: string
  readonly workers: readonly unknown[]
  readonly tasks: readonly { readonly problem: string; readonly status: string; readonly workerId: string }[]
  readonly phases: readonly { readonly name: string }[]
  readonly profile: object
}

async function readResults(folder: string): Promise<Results> {
  return JSON.parse(await readFile(path.join(folder, 'results.json'), 'utf8')) as Results
}

test('a sweep is solved on every worker, checked, reported and traced', { timeout: 120_000 }, async () => {
  const { code, stdout, stderr } = await run(mainJob, ['--problems', '24', '--workers', '2', '--warm-start'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const [runName = 'none'] = await readdir(path.join(workDir, '.costate', 'runs'))
  const folder = path.join(workDir, '.costate', 'runs', runName)
  for (const said of [
    '✓ All 24 answers agree',
    '✓ from neighbours: All 24 answers agree',
    'iterations instead of',
    '24/24 (100 %)',
    path.join(folder, 'report.html'),
    'speed-up',
  ])
    expect(stdout).toContain(said)

  const { verdict, tasks, workers, phases, profile, jobId, traceId } = await readResults(folder)
  expect([verdict.isGood, tasks.length, workers.length]).toEqual([true, 24, 2])
  expect(new Set(tasks.map(({ workerId }) => workerId)).size).toBe(2)
  expect(new Set(tasks.map(({ problem }) => problem))).toEqual(new Set(['brysonDenham', 'vanDerPol', 'rayleigh']))
  expect(phases.map(({ name }) => name)).toEqual(['submit', 'queue', 'dispatch', 'run', 'gather'])
  expect(profile).toMatchObject({ jobId, isSettled: true, tasks: 24, ranTasks: 24, slots: 2 })

  // Self-contained: nothing is loaded, and nothing points out of the folder.
  const report = await readFile(path.join(folder, 'report.html'), 'utf8')
  expect(report).toMatch(/^<!DOCTYPE html>[^]*<svg[^]*<\/html>\s*$/)
  expect(report).not.toMatch(/<script|<iframe|<img|@import|url\(|https?:\/\/(?!www\.w3\.org\/2000\/svg)/)
  const links = [...report.matchAll(/(?:href|src)="([^"]*)"/g)].map((match) => match[1]!)
  expect(links.filter((link) => !/^(#|data:,|\.\/traces\/)/.test(link))).toEqual([])

  const trace = await run('cli/main.js', ['trace', jobId, '--json'])
  expect(trace.code).toBe(0)
  const services = new Set(servicesIn(JSON.parse(trace.stdout) as TraceJson, traceId))
  expect(services).toEqual(new Set(['client', 'scheduler', 'worker', 'checkpoint-store']))
  expect(await readdir(path.join(workDir, 'home', 'meshes'))).toEqual([])
})

interface TraceJson {
  readonly spans: readonly SpanJson[]
}
interface SpanJson {
  readonly traceId: string
  readonly service: string
  readonly children: readonly SpanJson[]
}

/** Which services have spans of the trace. */
function servicesIn({ spans }: TraceJson, traceId: string): string[] {
  return spans.flatMap((span) => [
    ...(span.traceId === traceId ? [span.service] : []),
    ...servicesIn({ spans: span.children }, traceId),
  ])
}

test('an answer that is not the published one ends the run with 1 and is named', { timeout: 120_000 }, async () => {
  const hooks = `export async function load(url, context, next) {
    const loaded = await next(url, context)
    if (!url.endsWith('/problems/rayleigh.js')) return loaded
    return { ...loaded, source: String(loaded.source).replace('29.376079655943', '29.3765') }
  }`
  const plant = `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(hooks))})`
  const { code, stdout } = await run(mainJob, [
    `--import=${dataUrl(plant)}`,
    '--problems=6',
    '--workers=1',
    '--out=wrong',
  ])
  expect(code).toBe(1)
  expect(stdout).toContain('✗ 1 of 6 problems has no right answer.')
  expect(stdout).toMatch(
    /#5 Rayleigh T.*: J = 29\.376\d+, published 29\.3765\d*, relative error 1\.\de-5, allowed 1\.0e-6/,
  )
  const { verdict } = await readResults(path.join(workDir, 'wrong'))
  expect(verdict.isGood).toBe(false)
  expect(await readFile(path.join(workDir, 'wrong', 'report.html'), 'utf8')).toContain('outside tolerance')
})

function dataUrl(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`
}

test('an interrupt ends the run with 130, writes no report and leaves no mesh', { timeout: 120_000 }, async () => {
  let isTold = false
  const { code, stderr } = await run(mainJob, ['--problems=24', '--workers=1', '--out=cut'], (stdout, kill) => {
    // Once: a second interrupt leaves without cleaning up.
    if (!isTold && stdout.includes('sweep')) kill('SIGINT')
    isTold ||= stdout.includes('sweep')
  })
  expect(code).toBe(130)
  expect(stderr).toContain('SIGINT: ending the cluster')
  expect(await readdir(path.join(workDir, 'cut'))).not.toContain('report.html')
  expect(await readdir(path.join(workDir, 'home', 'meshes'))).toEqual([])
})

test('a run folder that cannot be made ends the run with 1 and the reason', async () => {
  await writeFile(path.join(workDir, 'file'), '')
  const { code, stderr } = await run(mainJob, ['--out', path.join('file', 'run')])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^the main job failed: .*file\/run/)
})

test('a flag that makes no sense ends the program with 2 before anything starts', async () => {
  const { code, stdout, stderr } = await run(mainJob, ['--workers', '0'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain('give a whole number from 1 to 256')
})
