import type { SpanRecord } from '#libs/telemetry'
import { mkdir, mkdtemp, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { listTraceFiles, phasesOf, readPhases } from './trace-phases.js'

function span(name: string, startMs: number, endMs: number, taskId = ''): SpanRecord {
  const attributes: SpanRecord['attributes'] =
    taskId === '' ? {} : { 'costate.task.id': taskId, 'costate.task.attempt': 1 }
  const ids = { traceId: 'ab'.repeat(16), spanId: `${name}${taskId}`, service: 'worker', instanceId: 'w-1' }
  return { ...ids, name, startMs, endMs, attributes, links: [] }
}

test('phases stand in the order of a life, with the median over the tasks', () => {
  const spans = [
    span('gather', 300, 330),
    span('run solve', 112, 152, 'j/0'),
    span('run solve', 155, 175, 'j/1'),
    span('run solve', 180, 280, 'j/2'),
    span('queue', 100, 110, 'j/0'),
    span('queue', 100, 151, 'j/1'),
    span('queue', 100, 177, 'j/2'),
    span('submit optimal-control sweep', 40, 100),
    span('costate.checkpoint.v1.CheckpointService/FindBlobs', 50, 55),
  ]
  expect(phasesOf(spans, 3)).toEqual([
    { name: 'submit', medianMs: 20, totalMs: 60 },
    { name: 'queue', medianMs: 51, totalMs: 138 },
    { name: 'dispatch', medianMs: 3, totalMs: 9 },
    { name: 'run', medianMs: 40, totalMs: 160 },
    { name: 'gather', medianMs: 10, totalMs: 30 },
  ])
})

test('a dispatch ends with the fetching of inputs where there is one', () => {
  const spans = [span('queue', 0, 10, 'j/0'), span('fetch', 14, 20, 'j/0'), span('run solve', 20, 30, 'j/0')]
  expect(phasesOf(spans, 1).find(({ name }) => name === 'dispatch')?.medianMs).toBe(4)
})

test('clocks that disagree give no negative times', () => {
  const spans = [span('queue', 0, 10, 'j/0'), span('run solve', 8, 30, 'j/0')]
  expect(phasesOf(spans, 1).find(({ name }) => name === 'dispatch')?.medianMs).toBe(0)
})

test('a run folder without traces has neither phases nor files', async () => {
  const runDir = await mkdtemp(path.join(tmpdir(), 'costate-demo-'))
  expect(await readPhases(runDir, 'ab'.repeat(16), 240)).toEqual([])
  expect(await readPhases(runDir, '', 240)).toEqual([])
  expect(await listTraceFiles(runDir, 0)).toEqual([])
})

test('of the files in a folder that was used before, those of this run are listed', async () => {
  const runDir = await mkdtemp(path.join(tmpdir(), 'costate-demo-'))
  await mkdir(path.join(runDir, 'traces'))
  const [before, now] = ['client-client-1.otlp.jsonl', 'client-client-2.otlp.jsonl']
  for (const name of [before, now]) await writeFile(path.join(runDir, 'traces', name), '')
  await utimes(path.join(runDir, 'traces', before), 1_000, 1_000)
  expect(await listTraceFiles(runDir, 2_000_000)).toEqual([{ process: 'client-client-2', path: `traces/${now}` }])
})
