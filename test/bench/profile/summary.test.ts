import { expect, test } from 'vitest'

import { type CpuProfile, summarize } from './summary.js'

const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber })

/** main calls encode (of ours), encode calls itself and write (of a package); 1 ms passes idle. */
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 6] },
    { id: 2, callFrame: frame('main', 'file:///app/dist/services/worker/main.cjs', 4), children: [3] },
    { id: 3, callFrame: frame('encode', 'file:///app/dist/libs/value/encode.js', 9), children: [4] },
    { id: 4, callFrame: frame('encode', 'file:///app/dist/libs/value/encode.js', 9), children: [5] },
    { id: 5, callFrame: frame('write', 'file:///app/node_modules/@grpc/grpc-js/build/call.js', 0) },
    { id: 6, callFrame: frame('(idle)') },
  ],
  samples: [2, 3, 4, 5, 5, 6],
  timeDeltas: [1000, 2000, 4000, 8000, 500, 1000],
}

test('idle time is no busy time', () => {
  expect(summarize(profile)).toMatchObject({ totalMs: 16.5, busyMs: 15.5 })
})

test('time of its own is ranked by function and by package', () => {
  const { self, packages } = summarize(profile)
  expect(self).toEqual([
    ['write @grpc/grpc-js/build/call.js:1', 8.5],
    ['encode libs/value/encode.js:10', 6],
    ['main services/worker/main.cjs:5', 1],
  ])
  expect(packages).toEqual([
    ['@grpc/grpc-js', 8.5],
    ['libs/value', 6],
    ['services/worker', 1],
  ])
})

test('time below our functions includes what they call, and recursion counts once', () => {
  expect(summarize(profile).total).toEqual([
    ['main services/worker/main.cjs:5', 15.5],
    ['encode libs/value/encode.js:10', 14.5],
  ])
})
