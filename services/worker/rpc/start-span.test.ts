import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { expect, test } from 'vitest'

import type { WorkerId } from '#libs/domain'
import { readRunSpans, startTelemetry } from '#libs/telemetry'

import { createStartSpan } from './start-span.js'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parentId = 'b7ad6b7169203331'

async function spansOf(env: Record<string, string>): Promise<readonly unknown[]> {
  const runDir = await mkdtemp(path.join(tmpdir(), 'costate-start-span-'))
  const telemetry = startTelemetry({ service: 'worker', instanceId: 'w', runDir })
  const say = createStartSpan({ workerId: 'w1' as WorkerId, env, startedAtMs: 1_000, jobId: '17' })
  say(3_500)
  say(9_000)
  await telemetry.shutdown()
  return await readRunSpans(runDir)
}

test('the start of a worker in a job belongs to the trace of the submit, and is said once', async () => {
  const spans = await spansOf({ TRACEPARENT: `00-${traceId}-${parentId}-01` })
  expect(spans).toMatchObject([{ name: 'worker start', traceId, parentSpanId: parentId }])
})

test('the start of any other worker is nobody’s', async () => {
  expect(await spansOf({})).toEqual([])
})
