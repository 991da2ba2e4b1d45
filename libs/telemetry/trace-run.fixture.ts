import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { onTestFinished } from 'vitest'

import { startTelemetry, type TelemetryOptions } from './telemetry.js'
import { readRunSpans, type SpanRecord } from './trace-file.js'

/** An empty run folder that is gone when the test is. */
export async function makeRunDir(): Promise<string> {
  const runDir = await mkdtemp(join(tmpdir(), 'costate-traces-'))
  onTestFinished(() => rm(runDir, { recursive: true, force: true }))
  return runDir
}

/** Runs `fn` with telemetry that writes to a run folder, and returns the spans that ended up in it, by name. */
export async function recordRun(
  fn: () => unknown,
  options: Partial<TelemetryOptions> = {},
): Promise<{ spans: SpanRecord[]; named: (name: string) => SpanRecord | undefined }> {
  const runDir = options.runDir ?? (await makeRunDir())
  const telemetry = startTelemetry({ service: 'worker', instanceId: 'w-1', ...options, runDir })
  try {
    await fn()
  } finally {
    await telemetry.shutdown()
  }
  const spans = await readRunSpans(runDir)
  return { spans, named: (name) => spans.find((span) => span.name === name) }
}
