import { afterEach, expect, test } from 'vitest'
import * as inBundle from './in-bundle.js'
import * as library from './index.js'

const listener = Symbol.for('costate.clusterInTask')
const hooks = globalThis as { [listener]?: (error: Error) => void }
afterEach(() => Reflect.deleteProperty(hooks, listener))

test('a bundle has everything that a task module can import', () => {
  const internal = ['errorOfFailure', 'raceFutures', 'resultsOf', 'zipArguments', 'ownCodecs', 'codecsOf'].concat(
    ...[
      'isComplexArray',
      'isNdArray',
      'isSharedInput',
      'CheckpointPace',
      'compositionOf',
      'scatterEach',
      'chunkLengthOf',
      'notAnArray',
    ],
  )
  const offered = Object.keys(library).filter((name) => !internal.includes(name))
  expect(Object.keys(inBundle)).toEqual(expect.arrayContaining(offered))
  expect(inBundle.task).toBe(library.task)
})

test('a program inside a bundle does not run', () => {
  let ran = false
  const main = inBundle.main as typeof library.main
  main(import.meta, () => void (ran = true))

  expect(ran).toBe(false)
})

test('a cluster inside a bundle is refused with advice, and whoever loads the bundle hears of it', () => {
  const heard: Error[] = []
  hooks[listener] = (error) => void heard.push(error)

  expect(() => inBundle.createLocalCluster()).toThrow(
    expect.objectContaining({
      code: 'COSTATE_CLUSTER_IN_TASK',
      message: expect.stringMatching(
        /^createLocalCluster\(\) .* main\(import\.meta, .* module without side effects/,
      ) as string,
    }),
  )
  expect(heard).toEqual([expect.objectContaining({ code: 'COSTATE_CLUSTER_IN_TASK' })])
})

test('everything that needs a cluster is refused by name', () => {
  const refused = [
    'connect',
    'createInlineCluster',
    'createSlurmCluster',
    'registerTask',
    'asCompleted',
    'wait',
  ] as const

  for (const name of refused) expect(() => inBundle[name]()).toThrow(`${name}() was called on a worker`)
})
