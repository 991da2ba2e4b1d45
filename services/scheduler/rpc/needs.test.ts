import { expect, test } from 'vitest'

import type { TaskNeeds } from '#libs/proto'
import { readRpcFailure } from '#libs/rpc'

import { needsOfTask, needsToDomain, offerToDomain } from './needs.js'

function needs(resources: Record<string, number>, rest: Partial<TaskNeeds> = {}): TaskNeeds {
  return { resources: new Map(Object.entries(resources)), priority: 0, workers: [], host: '', ...rest }
}

test('needs become words of the domain', () => {
  expect(needsToDomain([needs({ gpu: 1 }, { priority: 3, workers: ['w1'], host: 'h' })])).toEqual([
    { resources: { gpu: 1 }, priority: 3, workers: ['w1'], host: 'h' },
  ])
  expect(needsOfTask(0, 1, 7)).toEqual({})
  expect(needsOfTask(1, 1, 7)).toEqual({ needs: 1 })
})

test.each([
  [needs({ cpu: 0 }), 'BAD_RESOURCES', 'job.needs[0].resources'],
  [needs({ gpu: 0.5 }), 'BAD_RESOURCES', 'job.needs[0].resources'],
  [needs({ licence: -1 }), 'BAD_RESOURCES', 'job.needs[0].resources'],
  [needs({ memory: NaN }), 'BAD_RESOURCES', 'job.needs[0].resources'],
  [needs({ '': 1 }), 'BAD_RESOURCES', 'job.needs[0].resources'],
  [needs({}, { priority: 2_000_000 }), 'BAD_PRIORITY', 'job.needs[0].priority'],
  [needs({}, { workers: [''] }), 'BAD_PIN', 'job.needs[0].workers'],
  [needs({}, { host: 'h'.repeat(257) }), 'BAD_PIN', 'job.needs[0].host'],
])('needs that make no sense are refused with their field: %j', (wrong, reason, field) => {
  expect(violationOf(() => needsToDomain([wrong]))).toEqual([reason, field])
})

test('needs that the job does not say, too many of them, and offers that make no sense are refused', () => {
  expect(violationOf(() => needsOfTask(2, 1, 7))).toEqual(['UNKNOWN_NEEDS', 'job.tasks[7].needs'])
  const many = Array.from({ length: 1_001 }, () => needs({}))
  expect(violationOf(() => needsToDomain(many))).toEqual(['TOO_MANY_NEEDS', 'job.needs'])
  expect(violationOf(() => offerToDomain(new Map([['cpu', 2]])))).toEqual(['BAD_RESOURCES', 'hello.resources'])
})

function violationOf(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    const { reason, fieldViolations } = readRpcFailure(error)
    return [reason, fieldViolations?.[0]?.field]
  }
  return 'it was taken'
}
