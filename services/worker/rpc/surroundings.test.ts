import { expect, test } from 'vitest'

import { surroundingsOf } from './surroundings.js'

test('a worker in an allocation says which it is, and when it ends', () => {
  const told = { allocation: 'cpu/k1.3', slurmJobId: '17', restartCount: 2, endsAt: 1_800_000_000 }
  expect(surroundingsOf(told)).toEqual({
    allocation: { pool: 'cpu', allocationId: 'k1.3', jobId: '17', restarts: 2 },
    endsAt: { seconds: 1_800_000_000n, nanos: 0 },
  })
})

test('any other worker says nothing of the kind', () => {
  expect(surroundingsOf({ slurmJobId: '', restartCount: 0 })).toEqual({ allocation: undefined, endsAt: undefined })
})
