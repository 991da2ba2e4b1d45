import * as conventions from '@opentelemetry/semantic-conventions/incubating'
import { expect, test } from 'vitest'

import { attribute } from './attributes.js'

test('every name that is not our own is one of the pinned conventions, and none of them is deprecated', () => {
  const known = new Set<unknown>(Object.values(conventions))
  const foreign = Object.values(attribute).filter((name) => !/^(costate|slurm)\./.test(name))
  expect(foreign.filter((name) => !known.has(name))).toEqual([])
  expect(foreign).not.toContain('rpc.service')
  expect(foreign).not.toContain('rpc.response.status_code')
})

test('no name stands for two things', () => {
  const names = Object.values(attribute)
  expect(new Set(names).size).toBe(names.length)
})
