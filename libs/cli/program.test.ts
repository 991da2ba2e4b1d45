import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { createProgram } from './program.js'
import { runProgram } from './run-program.js'
import { createRecordedTerminal } from './terminal.fixture.js'

let home: string
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'costate-home-'))
  process.env['COSTATE_HOME'] = home
})
afterEach(() => rm(home, { recursive: true }))

async function costate(...args: string[]) {
  const terminal = createRecordedTerminal()
  const code = await runProgram(createProgram(terminal), args, terminal)
  return { code, printed: terminal.printed.join('\n'), warned: terminal.warned.join('\n') }
}

test('help and version are what was asked for', async () => {
  expect(await costate('--help')).toMatchObject({
    code: 0,
    printed: expect.stringContaining('costate [options]') as string,
  })
  expect(await costate('--version')).toMatchObject({
    code: 0,
    printed: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
  })
})

test.each([
  [[], 'Usage: costate'],
  [['dance'], "unknown command 'dance'"],
  [['up', '--workers', '0'], 'whole number from 1'],
  [['up', '--name', '../evil'], 'no mesh name'],
  [['up', '--memory-limit', 'lots'], 'no amount of memory'],
  [['down'], "missing required argument 'mesh'"],
  [['jobs', 'x', '--limit', 'all'], 'whole number'],
  [['register', 'tasks.ts', '--mesh', 'x'], '--as <name@version>'],
  [['register', 'tasks.ts', '--mesh', 'x', '--as', 'heat'], 'such as heat@1.2'],
  [['tasks', 'j-1', '--state', 'asleep'], 'waiting, queued, assigned'],
  [['jobs', '--state', 'queued'], 'Give one of running, finished'],
  [['workers', '--state', 'gone'], 'Give one of ready, draining'],
  [['explain', 'j-1'], 'a slash and its index, such as j-1/0'],
  [['story', 'j-1/x'], 'is no task'],
  [['logs', '--level', 'loud'], 'Allowed choices are trace'],
  [['logs', '--tail', '-1'], 'whole number'],
  [['top', '--interval', '0'], 'from 0.1'],
  [['checkpoints', 'show'], "missing required argument 'name'"],
  [['checkpoints', 'show', 'a', '--at', '0'], 'number of a version'],
  [['checkpoints', 'list', '--label', 'x'], 'key=value'],
  [['checkpoints', 'prune', '--keep', '-1'], 'whole number'],
  [['checkpoints', 'prune', '--older-than', 'long'], 'no duration'],
  [['rerun', 'j-1/0'], "required option '--inline'"],
  [['rerun', 'j-1/0', '--inline', '--inspect', 'x'], 'Give a port'],
])('wrong arguments %j end with 2 and what is right', async (args, advice) => {
  expect(await costate(...args)).toMatchObject({ code: 2, warned: expect.stringContaining(advice) as string })
})

test.each([
  ['status', 'nowhere'],
  ['jobs', 'nowhere'],
  ['down', 'nowhere'],
  ['register', 'tasks.ts', '--as', 'heat@1', '--mesh', 'nowhere'],
  ['workers', 'nowhere'],
  ['top', 'nowhere'],
  ['logs', 'nowhere'],
  ['tasks', 'j-1', '--mesh', 'nowhere'],
  ['explain', 'j-1/0', '--mesh', 'nowhere'],
  ['story', 'j-1/0', '--mesh', 'nowhere'],
  ['cancel', 'j-1', '--mesh', 'nowhere'],
  ['drain', 'w-1', '--mesh', 'nowhere'],
  ['rerun', 'j-1/0', '--inline', '--mesh', 'nowhere'],
  ['checkpoints', 'list', '--mesh', 'nowhere'],
])('costate %s %s ends with 3 where there is no such mesh, and says what to do', async (...args) => {
  const outcome = await costate(...args)

  expect(outcome.code).toBe(3)
  expect(outcome.warned).toContain("there is no mesh named 'nowhere' here: costate status lists")
})

test.each([
  ['jobs'],
  ['workers'],
  ['top'],
  ['logs'],
  ['tasks', 'j-1'],
  ['explain', 'j-1/0'],
  ['cancel', 'j-1'],
  ['drain', 'w'],
])('costate %s ends with 3 where no mesh runs that it could be about', async (...args) => {
  expect(await costate(...args)).toMatchObject({
    code: 3,
    warned: expect.stringContaining('no mesh runs here: costate up starts one') as string,
  })
})

test('the logs of a mesh that has ended are read from its run folder', async () => {
  await mkdir(path.join(home, 'logs'))
  const lines = ['info', 'error'].map((level, nth) =>
    JSON.stringify({ level, time: `2026-01-01T00:00:0${nth}.000Z`, service: 'scheduler', msg: `${level}s` }),
  )
  await writeFile(path.join(home, 'logs', 'scheduler.log'), `${lines.join('\n')}\n`)

  expect((await costate('logs', '--run', home, '--level', 'error')).printed).toBe(
    '2026-01-01T00:00:01.000Z\terror\tscheduler\tscheduler\t\terrors',
  )
  expect((await costate('logs', '--run', home, '--tail', '0')).printed).toBe('')
  expect(JSON.parse((await costate('logs', '--run', home, '--tail', '1', '--json')).printed)).toMatchObject({
    at: '2026-01-01T00:00:01.000Z',
    text: 'errors',
  })
  expect(await costate('logs', '--run', path.join(home, 'x'))).toMatchObject({ code: 3 })
})

test('an address without the folder of its token is not enough', async () => {
  expect(await costate('jobs', 'login1:7000')).toMatchObject({
    code: 3,
    warned: expect.stringContaining('COSTATE_MESH_DIR') as string,
  })
})

test('failures are told as JSON where JSON was asked for, before or after the command', async () => {
  for (const args of [
    ['--json', 'status', 'nowhere'],
    ['status', 'nowhere', '--json'],
  ]) {
    const { warned } = await costate(...args)
    expect(JSON.parse(warned)).toMatchObject({ error: { exitCode: 3, reason: 'MESH_NOT_FOUND' } })
  }
})

test('a mesh of which only the folder is left is told as ended, and can be taken down', async () => {
  await mkdir(path.join(home, 'meshes', 'lab'), { recursive: true })

  const { printed } = await costate('status', '--json')
  expect(JSON.parse(printed)).toMatchObject([{ name: 'lab', state: 'ended', workers: [] }])
  expect(await costate('status', 'lab')).toMatchObject({
    code: 3,
    warned: expect.stringContaining('has ended') as string,
  })
  expect(await costate('down', 'lab')).toMatchObject({
    code: 0,
    printed: "mesh 'lab' had ended before; its folder is removed",
  })
  expect(await costate('status')).toMatchObject({ code: 0, printed: 'there is no mesh here: costate up starts one' })
})

test('a job that no run folder knows, and a folder that is not there, are told apart', async () => {
  expect(await costate('trace', 'j-1', '--run', home)).toMatchObject({
    code: 3,
    warned: expect.stringContaining('no span of job j-1') as string,
  })
  expect(await costate('trace', 'j-1', '--run', path.join(home, 'x'))).toMatchObject({
    code: 3,
    warned: expect.stringContaining('there is no run folder') as string,
  })
})
