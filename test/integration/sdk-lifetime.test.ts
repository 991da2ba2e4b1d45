import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'

import { connect, type Task } from 'costate'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type LocalMesh, packageRoot, startLocalMesh } from '../harness/local-mesh.js'
import { waitForFile } from '../harness/marker-file.js'
import { runToEnd } from '../harness/program.js'

interface Tasks {
  readonly double: Task<[number], number>
  readonly block: Task<[string], string>
  readonly until: Task<[string], string>
}

/** Tasks that say by a file that they run, and wait for another one or for their signal. */
const source = `
import { watch, existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { task } from 'costate'
export const double = task(import.meta, 'double', async (x) => 2 * x)
export const block = task(import.meta, 'block', async (marker, ctx) => {
  writeFileSync(marker, '')
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
  writeFileSync(marker + '.stopped', '')
  return marker
})
export const until = task(import.meta, 'until', async (marker) => {
  writeFileSync(marker + '.runs', '')
  await new Promise((resolve) => {
    const look = () => existsSync(marker) && (watcher.close(), resolve())
    const watcher = watch(path.dirname(marker), look)
    look()
  })
  return marker
})
`

let mesh: LocalMesh
let tasks: Tasks

beforeAll(async () => {
  process.env['COSTATE_ORPHAN_GRACE'] = '1s'
  mesh = await startLocalMesh()
  delete process.env['COSTATE_ORPHAN_GRACE']
  tasks = await mesh.importModule<Tasks>('tasks.mjs', source)
})

afterAll(async () => mesh.close())

const marker = (name: string): string => path.join(mesh.userDir, name)

/** Starts a program of the user's, and resolves with the line that it says first. */
async function startProgram(name: string, text: string): Promise<{ child: ChildProcess; line: string }> {
  const script = path.join(mesh.userDir, name)
  await writeFile(script, text)
  const child = spawn(process.execPath, [script], { cwd: mesh.userDir, stdio: ['ignore', 'pipe', 'pipe'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { child, line }
}

test('a client that dies in the middle of its job: others on the same workers go on, the orphan is cancelled', async () => {
  const mine = mesh.cluster.submit(tasks.until, marker('go'))
  await waitForFile(marker('go.runs'))
  const { child, line: jobId } = await startProgram(
    'victim.mjs',
    `import { connect } from 'costate'
     import { block } from './tasks.mjs'
     const cluster = await connect('test')
     const future = cluster.submit(block, ${JSON.stringify(marker('orphan'))})
     await future.job.submitted
     console.log(future.job.id)
     await future.result()`,
  )
  await waitForFile(marker('orphan'))
  child.kill('SIGKILL')
  await waitForFile(marker('orphan.stopped'))
  const orphan = await mesh.cluster.attach(jobId)
  await orphan.futures[0]?.settled()
  expect(orphan.futures[0]?.status).toBe('cancelled')
  expect(mine.status).toBe('pending')
  await writeFile(marker('go'), '')
  expect(await mine.result()).toBe(marker('go'))
})

test('a detached job runs to its end also when its client is gone', async () => {
  const { child, line: jobId } = await startProgram(
    'detached.mjs',
    `import { connect } from 'costate'
     import { until, double } from './tasks.mjs'
     const cluster = (await connect('test')).with({ detached: true })
     const future = cluster.submit(until, ${JSON.stringify(marker('later'))})
     await future.job.submitted
     console.log(future.job.id)
     await future.result()`,
  )
  await waitForFile(marker('later.runs'))
  child.kill('SIGKILL')
  await once(child, 'exit')
  // An attached job submitted by one that is killed later is cancelled first: the grace of the detached one is over then too.
  const witness = await startProgram(
    'witness.mjs',
    `import { connect } from 'costate'
     import { block } from './tasks.mjs'
     const cluster = await connect('test')
     const future = cluster.submit(block, ${JSON.stringify(marker('witness'))})
     await future.job.submitted
     console.log(future.job.id)
     await future.result()`,
  )
  await waitForFile(marker('witness'))
  witness.child.kill('SIGKILL')
  await waitForFile(marker('witness.stopped'))
  const job = await mesh.cluster.attach(jobId)
  await writeFile(marker('later'), '')
  expect(await job.futures[0]?.result()).toBe(marker('later'))
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)(
  'a program that is told to end by %s leaves nothing behind, and no stack of internals',
  async (signal, code) => {
    const ready = marker(`${signal}.ready`)
    const { child, line } = await startProgram(
      `${signal}.mjs`,
      `import { createLocalCluster, main } from 'costate'
     import { block } from './tasks.mjs'
     main(import.meta, async () => {
       const cluster = await createLocalCluster({ workers: 1, runDir: 'run-${signal}' })
       console.log(cluster.name)
       await cluster.submit(block, ${JSON.stringify(ready)}).result()
     })`,
    )
    await waitForFile(ready)
    let said = ''
    child.stderr?.on('data', (data: Buffer) => (said += data.toString()))
    child.kill(signal)
    const [exitCode] = (await once(child, 'close')) as [number]
    expect(said).toBe(`costate: ${signal}: ending the cluster; once more leaves at once\n`)
    expect(exitCode).toBe(code)
    expect(existsSync(path.join(path.dirname(mesh.meshDir), line))).toBe(false)
  },
)

test('a mesh that is kept alive outlives its maker’s cluster, and others find it by its name', async () => {
  const { child, line } = await startProgram(
    'maker.mjs',
    `import { createLocalCluster } from 'costate'
     import { double } from './tasks.mjs'
     const cluster = await createLocalCluster({ workers: 1, name: 'kept', keepAlive: true, runDir: 'run-kept' })
     const future = cluster.submit(double, 21)
     await future.result()
     await future.persist('answer')
     await cluster.close()
     console.log(future.job.id)`,
  )
  await once(child, 'exit')
  const cluster = await connect('kept')
  expect((await cluster.attach(line)).name).toBe('double')
  expect(await cluster.gather((await cluster.attach('answer')).futures)).toEqual([42])
  expect(await cluster.submit(tasks.double, 4).result()).toBe(8)
  await cluster.close()
  const down = await runToEnd(process.execPath, [
    ...[path.join(packageRoot, 'dist', 'libs', 'cli', 'main.js'), 'down', 'kept'],
  ])
  expect(down.code).toBe(0)
  expect(await readdir(path.dirname(mesh.meshDir))).not.toContain('kept')
})
