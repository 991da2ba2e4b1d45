import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { ReportData, ReportTask } from './report-data.js'
import { createRunFolder, renderResults, traceCommandOf } from './run-folder.js'
import { renderSummary } from './summary.js'

const right: ReportTask = {
  index: 0,
  problem: 'brysonDenham',
  parameters: { stateBound: 0.5 },
  status: 'finished',
  workerId: 'w-1',
  slot: 0,
  startMs: 100,
  endMs: 1_000,
  objective: 2,
  published: 2,
  publishedSource: 'closed form',
  relativeTolerance: 1e-4,
  relativeError: 0,
  withinTolerance: true,
  intervals: 320,
  iterations: 2,
}
const failed: ReportTask = {
  ...right,
  index: 1,
  status: 'failed',
  objective: Number.NaN,
  relativeError: Number.NaN,
  withinTolerance: false,
  failure: { kind: 'workerLost', message: 'the worker was killed' },
}

function runOf(...tasks: ReportTask[]): ReportData {
  return {
    run: { id: 'r', startedAt: '2026-11-22T14:03:11.000Z', command: 'node main.js', durationMs: 1_000 },
    machine: { os: 'Linux', cpuModel: 'a processor', cores: 2, memoryBytes: 2 ** 33 },
    versions: { costate: '0.1.0' },
    workers: [
      { id: 'w-1', slots: 1 },
      { id: 'w-2', slots: 1 },
    ],
    tasks,
    trajectories: [],
    phases: [],
    traceFiles: [{ process: 'client', path: 'traces/client.otlp.jsonl' }],
    jobId: 'j-1',
    traceId: 'ab'.repeat(16),
    traceCommand: 'npx costate trace j-1',
  }
}

test('a run gets a folder of its own, or the one that was asked for', async () => {
  const out = path.join(await mkdtemp(path.join(tmpdir(), 'costate-demo-')), 'deep', 'er')
  const startedAt = new Date('2026-11-22T14:03:11.482Z')
  const folder = await createRunFolder(startedAt, out)
  expect(traceCommandOf(folder, 'j-1')).toBe(`npx costate trace j-1 --run ${out}`)
  expect(traceCommandOf({ id: 'r', path: path.resolve('.costate/runs/r') }, 'j-1')).toBe('npx costate trace j-1')
  expect(folder).toEqual({ id: `20261122T140311Z-main-job-${process.pid}`, path: out })
})

test('results are JSON that programs can read: numbers that do not exist are null', () => {
  const { verdict, figures, tasks } = JSON.parse(renderResults(runOf(right, failed))) as {
    verdict: { isGood: boolean }
    figures: Record<string, number>
    tasks: Record<string, unknown>[]
  }
  expect(verdict.isGood).toBe(false)
  expect(figures).toEqual({ slots: 2, solveMs: 1_800, tasksPerS: 2, speedUp: 1.8, efficiency: 0.9 })
  expect(tasks[0]).toEqual(right)
  expect(tasks[1]).toMatchObject({ objective: null, relativeError: null, failure: { kind: 'workerLost' } })
})

const written = { folder: '/runs/r', report: '/runs/r/report.html', results: '/runs/r/results.json' }

test('the summary says how it went and where everything is', () => {
  expect(renderSummary(runOf(right), written)).toBe(`
✓ The answer agrees with the published value within its tolerance.
  1 problem in 1.00 s on 2 slots of 2 workers: 1 tasks/s, speed-up 0.9 ×

  report   /runs/r/report.html
  results  /runs/r/results.json
  traces   /runs/r/traces
  spans    npx costate trace j-1
`)
})

test('the summary of a bad run says why, in words, and where nothing was traced', () => {
  const wrong = { ...right, objective: 2.01, relativeError: 5e-3, withinTolerance: false }
  const summary = renderSummary({ ...runOf(wrong, failed, failed, failed), traceFiles: [] }, written)
  expect(summary.split('\n').slice(1, 8)).toEqual([
    '✗ 4 of 4 problems have no right answer.',
    '  1 answer is further from the published value than allowed.',
    '  3 tasks failed: workerLost.',
    '  #0 Bryson–Denham ℓ\u00a0=\u00a00.5: J = 2.010000000, published 2.000000000, relative error 5.0e-3, allowed 1.0e-4',
    '  #1 Bryson–Denham ℓ\u00a0=\u00a00.5: the worker was killed',
    '  #1 Bryson–Denham ℓ\u00a0=\u00a00.5: the worker was killed',
    '  … and 1 more, all in the report',
  ])
  expect(summary).toContain('went to the collector')
})
