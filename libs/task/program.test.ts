import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'
import { afterAll, expect, test } from 'vitest'
import { isEntryPoint } from './program.js'

const folder = mkdtempSync(join(tmpdir(), 'costate-program-'))
afterAll(() => rmSync(folder, { recursive: true }))
buildSync({
  entryPoints: [fileURLToPath(new URL('program.ts', import.meta.url))],
  bundle: true,
  format: 'esm',
  platform: 'node',
  outfile: join(folder, 'costate.mjs'),
})

function write(name: string, source: string): string {
  const path = join(folder, name)
  writeFileSync(path, `import { main } from './costate.mjs'\n${source}`)
  return path
}

function run(path: string, ...flags: string[]): { status: number | null; stdout: string; stderr: string } {
  // Flags may name packages that are found from here.
  const cwd = new URL('.', import.meta.url)
  return spawnSync(process.execPath, [...flags, path], { cwd, encoding: 'utf8' })
}

test('the program of the entry point runs, once its module is evaluated; that of an imported module does not', () => {
  write('tasks.mjs', `main(import.meta, () => console.log('tasks ran'))`)
  const path = write(
    'sweep.mjs',
    `import './tasks.mjs'\nmain(import.meta, () => console.log(text))\nconst text = 'sweep ran'`,
  )

  expect(run(path)).toMatchObject({ status: 0, stdout: 'sweep ran\n', stderr: '' })
})

test('the entry point is recognised under tsx, in TypeScript, without its extension', () => {
  const path = write('typed.ts', `main(import.meta, (): void => console.log('ran' satisfies string))`)

  expect(run(path, '--import', 'tsx')).toMatchObject({ status: 0, stdout: 'ran\n' })
  expect(run(path.replace(/\.ts$/, ''), '--import', 'tsx')).toMatchObject({ status: 0, stdout: 'ran\n' })
})

test('the entry point is recognised through a symlink', () => {
  const link = join(folder, 'linked.mjs')
  symlinkSync(write('target.mjs', `main(import.meta, () => console.log('ran'))`), link)

  expect(run(link)).toMatchObject({ status: 0, stdout: 'ran\n' })
})

test('a program that fails prints the error with its cause and exits with 1', () => {
  const path = write(
    'failing.mjs',
    `main(import.meta, async () => { throw new Error('no cluster', { cause: new Error('port 9000 is in use') }) })`,
  )
  const { status, stderr } = run(path)

  expect(status).toBe(1)
  expect(stderr).toContain('Error: no cluster')
  expect(stderr).toContain('port 9000 is in use')
})

test('an exit code that the program chose is kept', () => {
  const path = write('chosen.mjs', `main(import.meta, () => { process.exitCode = 3; throw new Error('wrong answer') })`)

  expect(run(path).status).toBe(3)
})

test('a module in a thread is no entry point', () => {
  const path = write(
    'threads.mjs',
    `import { Worker, isMainThread } from 'node:worker_threads'
     if (isMainThread) new Worker(new URL(import.meta.url))
     main(import.meta, () => console.log('ran, main thread:', isMainThread))`,
  )

  expect(run(path)).toMatchObject({ status: 0, stdout: 'ran, main thread: true\n', stderr: '' })
})

test.each([
  ['file:///home/user/a%20b/sweep.ts', '/home/user/a b/sweep.ts', true],
  ['file:///home/user/sweep.ts?tsx-namespace=1#x', '/home/user/sweep.ts', true],
  ['file:///home/user/sweep.js', '/home/user/sweep', true],
  ['file:///home/user/Sweep.ts', '/home/user/sweep.ts', false],
  ['file:///home/user/tasks.ts', '/home/user/sweep.ts', false],
  ['data:text/javascript,0', '/home/user/sweep.ts', false],
])('on POSIX, is %s the script %s? %s', (url, script, expected) => {
  expect(isEntryPoint(url, script, { windows: false, realpath: (path) => path })).toBe(expected)
})

test.each([
  ['file:///C:/Users/user/sweep.ts', 'c:\\Users\\user\\sweep.ts', true],
  ['file:///C:/Users/user/sweep.ts', 'C:/Users/user/sweep', true],
  ['file://nas/share/sweep.ts', '\\\\nas\\share\\sweep.ts', true],
  ['file:///D:/Users/user/sweep.ts', 'C:\\Users\\user\\sweep.ts', false],
])('on Windows, is %s the script %s? %s', (url, script, expected) => {
  expect(isEntryPoint(url, script, { windows: true, realpath: (path) => path })).toBe(expected)
})

test('without a script there is no entry point', () => {
  expect(isEntryPoint(pathToFileURL(join(folder, 'x.ts')).href, undefined)).toBe(false)
})
