import { expect, test } from 'vitest'

import { foldProfile } from './fold-profile.js'

const frame = (functionName: string, url = '') => ({ functionName, url, scriptId: '1', lineNumber: 0, columnNumber: 0 })
const nameUser = ({ functionName, url }: { functionName: string; url: string }) =>
  url === 'user.js' ? `${functionName} (user.js:1)` : undefined

/** (root) → runtime → solve → (native) sqrt; (root) → (idle); (root) → (garbage collector). */
const nodes = [
  { id: 1, callFrame: frame('(root)'), children: [2, 5, 6] },
  { id: 2, callFrame: frame('work', 'runtime.js'), children: [3] },
  { id: 3, callFrame: frame('solve', 'user.js'), children: [4, 7] },
  { id: 4, callFrame: frame('sqrt') },
  { id: 5, callFrame: frame('(idle)') },
  { id: 6, callFrame: frame('(garbage collector)') },
  { id: 7, callFrame: frame('step', 'user.js') },
]

test('time in the engine belongs to the function of the user that called it, the rest of the runtime to nobody', () => {
  const profile = {
    nodes,
    startTime: 0,
    endTime: 1_600,
    samples: [2, 3, 4, 7, 6, 5],
    timeDeltas: [0, 100, 200, 300, 400, 500],
  }
  expect(foldProfile(profile, nameUser)).toEqual({
    frames: ['solve (user.js:1)', 'step (user.js:1)', '(garbage collector)'],
    stacks: [
      [[0], 500],
      [[0, 1], 400],
      [[2], 500],
    ],
    otherUs: 100,
  })
})

test('a clock that goes back takes no time away', () => {
  const profile = { nodes, startTime: 0, endTime: 10, samples: [3, 3, 3], timeDeltas: [0, -50, 60] }
  expect(foldProfile(profile, nameUser).stacks).toEqual([[[0], 60]])
})
