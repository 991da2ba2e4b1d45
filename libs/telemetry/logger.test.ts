import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { pino } from 'pino'
import { afterEach, expect, test, vi } from 'vitest'

import { bindIds, createLogger, type Logger } from './logger.js'
import { makeRunDir, recordRun } from './trace-run.fixture.js'
import { withSpan } from './spans.js'
import { withTaskTrace } from './trace-carrier.js'

function captureLines(level?: string): { logger: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) }
  const logger = createLogger({ service: 'worker', instanceId: 'w-1', destination, ...(level ? { level } : {}) })
  return { logger, lines }
}

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

test('each line is one JSON object that says who, when and how bad', () => {
  const { logger, lines } = captureLines()
  logger.warn({ slots: 2 }, 'drained')
  expect(lines).toEqual([
    expect.objectContaining({
      level: 'warn',
      service: 'worker',
      instance: 'w-1',
      pid: process.pid,
      slots: 2,
      msg: 'drained',
    }),
  ])
  expect(lines[0]!['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  expect(lines[0]).not.toHaveProperty('trace_id')
})

test('a line inside a task carries the ids of the trace and of the task', async () => {
  const { logger, lines } = captureLines()
  await recordRun(
    () => withSpan('run', {}, () => bindIds(logger, { job: 'j', task: 'j/3', attempt: 2, worker: 'w' }).info('go')),
    { registerGlobally: true },
  )
  withTaskTrace({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' }, () => logger.info('quiet'))
  expect(lines[0]).toMatchObject({ job: 'j', task: 'j/3', attempt: 2, worker: 'w', trace_flags: '01' })
  expect(lines[0]!['trace_id']).toMatch(/^[0-9a-f]{32}$/)
  expect(lines[1]).toMatchObject({
    trace_id: '0af7651916cd43dd8448eb211c80319c',
    span_id: 'b7ad6b7169203331',
    trace_flags: '00',
  })
})

test('neither fields nor bound fields nor errors carry credentials or payloads into a line', () => {
  const { logger, lines } = captureLines()
  const hidden = 'hunter2'
  logger
    .child({ token: hidden, authorization: hidden })
    .child({ secret: hidden })
    .info({ payload: [hidden], a: { b: { token: hidden } } })
  logger.error(Object.assign(new Error('refused'), { metadata: { authorization: [hidden] } }))
  expect(JSON.stringify(lines)).not.toContain(hidden)
  expect(lines[1]).toMatchObject({ err: { type: 'Error', message: 'refused' }, msg: 'refused' })
  logger.child({ err: Object.assign(new TypeError('bound'), { token: hidden }) }).info('x')
  expect(lines[2]!['err']).toMatchObject({ type: 'TypeError', message: 'bound', token: '[redacted]' })
})

test('the level is the option, else COSTATE_LOG_LEVEL, and one that does not exist is refused', () => {
  vi.stubEnv('COSTATE_LOG_LEVEL', 'error')
  expect(captureLines().logger.level).toBe('error')
  expect(captureLines('debug').logger.level).toBe('debug')
  expect(() => captureLines('loud')).toThrow('loud')
})

test('COSTATE_LOG_FILE sends the lines to a file in the run folder', async () => {
  const runDir = await makeRunDir()
  vi.stubEnv('COSTATE_RUN_DIR', runDir)
  vi.stubEnv('COSTATE_LOG_FILE', 'logs/worker.jsonl')
  const logger = createLogger({ service: 'worker', instanceId: 'w-1' })
  logger.info('first')
  const { [pino.symbols.streamSym]: destination } = logger as unknown as Record<symbol, { flushSync(): void }>
  destination!.flushSync()
  expect(JSON.parse(await readFile(join(runDir, 'logs/worker.jsonl'), 'utf8'))).toMatchObject({ msg: 'first' })
})

test('a log file that cannot be opened is said, and the lines go to stderr', async () => {
  vi.stubEnv('COSTATE_LOG_FILE', join(await makeRunDir(), 'worker.jsonl', '..', '\0'))
  const warn = vi.spyOn(process, 'emitWarning').mockReturnValue()
  createLogger({ service: 'worker', instanceId: 'w-1', level: 'silent' }).info('not written')
  expect(warn.mock.calls[0]![0]).toContain('log lines go to stderr')
})
