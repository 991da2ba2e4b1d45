import type { JobProfile } from 'costate'
import { expect, test } from 'vitest'
import { renderProfile } from './profile.js'

const profile: JobProfile = {
  ...{ jobId: 'j', name: '<sweep>', isSettled: true, jobs: 1, tasks: 2, ranTasks: 2, retriedTasks: 0 },
  ...{ wallMs: 1_000, computeMs: 1_900, speedUp: 1.9, slots: 2, usedSlots: 2, efficiency: 0.95, parallelism: 3.8 },
  phases: [{ name: 'compute', totalMs: 1_900, medianMs: 950, maxMs: 1_000, tasks: 2 }],
  criticalPath: {
    ...{ lengthMs: 500, stepCount: 1 },
    steps: [{ taskId: 'j/1', name: '<solve>', workerId: 'w1', transferMs: 0, computeMs: 500, waitMs: 3 }],
  },
  workers: [
    {
      ...{ workerId: 'w1', host: 'h', slots: 2, tasks: 2, computeMs: 1_900, busyShare: 0.95, inputBytes: 0 },
      resultBytes: 2_000_000,
      memory: { rssBytes: 100e6, peakRssBytes: 140e6, heldBytes: 0, spilledBytes: 0 },
    },
    { workerId: 'gone', slots: 1, tasks: 0, computeMs: 0, busyShare: 0, inputBytes: 0, resultBytes: 0 },
  ],
  notes: ['a note & more'],
}

test('a profile shows speed-up, phases, memory of workers that are there, and the critical path', () => {
  const { text } = renderProfile(profile)
  for (const shown of ['1.9 times as fast, 95 % of 2 slots', '50 % of the wall time', 'at most 3.8 times']) {
    expect(text).toContain(shown)
  }
  expect(text).toMatch(/>w1<.*>2 MB<.*>100 MB<.*>140 MB</s)
  expect(text).toMatch(/>gone<.*>–<.*>–</s)
  expect(text).toContain('&lt;solve&gt;')
  expect(text).toContain('a note &amp; more')
  expect(text).not.toContain('Flame graph')
})

test('what was sampled is drawn, and without a profile there is nothing', () => {
  const cpu = { frames: ['solve (<a>.ts:1)'], stacks: [[[0], 1_000]], otherUs: 0 } as const
  const { text } = renderProfile({ ...profile, cpu })
  expect(text).toContain('Flame graph of user code')
  expect(text).toMatch(/<title>solve \(&lt;a&gt;\.ts:1\): .* ms, 100.0 %<\/title>/)
  expect(renderProfile(undefined).text).toBe('')
})
