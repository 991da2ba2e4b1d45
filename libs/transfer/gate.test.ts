import { expect, test } from 'vitest'

import { Gate } from './gate.js'

test('places pass on in the order of asking, and not to who has given up', async () => {
  const gate = new Gate(1)
  const entered: string[] = []
  const enter = async (name: string, signal?: AbortSignal): Promise<void> => {
    await gate.enter(signal)
    entered.push(name)
  }
  await enter('first')
  const leaving = new AbortController()
  const second = enter('second', leaving.signal)
  const third = enter('third')
  leaving.abort(new Error('no longer'))
  await expect(second).rejects.toThrow('no longer')
  gate.leave()
  await third
  gate.leave()
  await enter('fourth')
  expect(entered).toEqual(['first', 'third', 'fourth'])
})
