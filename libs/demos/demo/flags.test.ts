import { expect, test } from 'vitest'

import { readCall } from './flags.js'

const names = ['local-cluster', 'pipeline']
const call = (...args: string[]) => readCall(['node', 'main.js', ...args], names)

test('without a name the demos are listed', () => {
  expect(call()).toEqual({ kind: 'list' })
})

test('a name and its flags are what is run', () => {
  expect(call('pipeline', '--reduced', '--out', 'here')).toEqual({
    kind: 'run',
    name: 'pipeline',
    flags: { inline: false, reduced: true, json: false, out: 'here' },
  })
})

test('a name that is none is refused with the nearest that is one', () => {
  expect(call('pipline')).toEqual({
    kind: 'refuse',
    message: "there is no demo 'pipline'; did you mean pipeline? There are: local-cluster, pipeline",
  })
})
