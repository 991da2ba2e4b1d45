import { describe, expect, test } from 'vitest'

import { createWorker } from './testing/worker.js'

describe('devices', () => {
  test('each running task has its own, and who waits for some keeps no others waiting', () => {
    const worker = createWorker(4, 2)
    expect(worker.orderWithGpus('g1', 1)).toEqual(['g1 to 0 with gpu 0'])
    expect(worker.orderWithGpus('g2', 2)).toEqual([])
    expect(worker.order('a1')).toEqual(['a1 to 1'])
    expect(worker.orderWithGpus('g3', 1)).toEqual(['g3 to 2 with gpu 1'])
    worker.start('g1')
    expect(worker.end('g1', 1_000)).toEqual(['g1 ended'])
    worker.start('g3')
    expect(worker.end('g3', 1_000)).toEqual(['g3 ended', 'g2 to 0 with gpu 0 with gpu 1'])
  })

  test('a lost slot gives its devices back', () => {
    const worker = createWorker(1, 1)
    worker.orderWithGpus('g1', 1)
    worker.start('g1')
    worker.orderWithGpus('g2', 1)
    expect(worker.lose(0)).toEqual(['g1 failed', 'g2 to 0 with gpu 0'])
  })
})

describe('what is asked back', () => {
  test('what waits is given back, what runs goes on, and the worker takes more', () => {
    const worker = createWorker(1)
    worker.run('s0', 50)
    worker.order('s1', 's2', 's3')
    worker.order('s4', 's5', 's6', 's7')
    worker.start('s1')
    expect(worker.recall('s1', 's2', 's3', 's7')).toEqual([
      ...['withdraw s2 on 0', 'withdraw s3 on 0', 'return s7 as asked'],
    ])
    expect(worker.withdrawn('s2')).toEqual(['return s2 as asked', 's6 to 0'])
    // That one had begun before it could be withdrawn.
    worker.start('s3')
    expect(worker.withdrawn('s3')).toEqual([])
    expect(worker.order('s8')).toEqual([])
  })

  test('what still waits for its inputs is given back at once', () => {
    const worker = createWorker(1)
    worker.orderWithInputs('a1')
    expect(worker.recall('a1', 'a2')).toEqual(['return a1 as asked'])
    expect(worker.fetched('a1')).toEqual([])
  })
})

test('what was asked back goes into no other line when its slot is lost or it is passed over', () => {
  for (const meanwhile of ['lose', 'passedOver'] as const) {
    const worker = createWorker(1)
    worker.run('s0', 5)
    worker.order('s1', 's2')
    worker.start('s1')
    worker.recall('s2')
    if (meanwhile === 'lose') expect(worker.lose(0)).toEqual(['s1 failed', 'return s2 as asked'])
    else expect(worker.passedOver('s2')).toEqual(['return s2 as asked'])
    expect(worker.withdrawn('s2')).toEqual([])
  }
})

describe('while memory is nearly full', () => {
  test('what runs goes on, what has not begun is given back, and nothing is started', () => {
    const worker = createWorker(1)
    worker.run('s0', 5)
    worker.order('s1', 's2')
    worker.start('s1')
    worker.orderWithInputs('a1')
    worker.order('b1')
    expect(worker.pressMemory(true)).toEqual(['withdraw s2 on 0', 'return a1 as asked', 'return b1 as asked'])
    expect(worker.withdrawn('s2')).toEqual(['return s2 as asked'])
    expect(worker.order('a2')).toEqual(['return a2 as asked'])
    expect(worker.end('s1', 5)).toEqual(['s1 ended'])
  })

  test('tasks are started again when there is room', () => {
    const worker = createWorker(1)
    worker.pressMemory(true)
    worker.pressMemory(false)
    expect(worker.order('a1')).toEqual(['a1 to 0'])
  })
})

describe('what waits behind what runs', () => {
  test('tasks of an unknown kind run one to a slot', () => {
    const worker = createWorker(2)
    expect(worker.order('a1', 'a2', 'a3')).toEqual(['a1 to 0', 'a2 to 1'])
  })

  test.each([
    ['200', 100, true],
    ['20, where they cannot be taken out again,', 10, false],
  ] as const)('short tasks wait in lines, about %s ms of them', (_, runMs, withdraws) => {
    const worker = createWorker(2, 0, undefined, withdraws)
    worker.run('s0', runMs)
    expect(worker.order('s1', 's2', 's3', 's4', 's5', 's6', 's7')).toEqual([
      ...['s1 to 0', 's2 to 1', 's3 to 0', 's4 to 1', 's5 to 0', 's6 to 1'],
    ])
    worker.start('s1')
    expect(worker.end('s1', runMs)).toEqual(['s1 ended', 's7 to 0'])
  })

  test('those that bring inputs wait in lines for 20 ms: in a line each has its own copies', () => {
    const worker = createWorker(1)
    worker.run('s0', 10)
    const fetched = ['s1', 's2', 's3', 's4'].map((name) => (worker.orderWithInputs(name), worker.fetched(name)))
    expect(fetched).toEqual([['s1 to 0'], ['s2 to 0'], ['s3 to 0'], []])
  })

  test('nothing waits behind a long task: the first slot that is free takes what is ready', () => {
    const worker = createWorker(2)
    worker.run('s0', 5)
    worker.run('l0', 5_000)
    worker.order('l1', 'l2')
    worker.start('l1')
    worker.start('l2')
    expect(worker.order('s1')).toEqual([])
    expect(worker.end('l2', 5_000)).toEqual(['l2 ended', 's1 to 1'])
  })

  test('nothing waits behind a long task in a line that was one of short ones', () => {
    const worker = createWorker(1)
    worker.run('s0', 5)
    worker.order('s1', 's2')
    worker.end('s1', 5)
    worker.end('s2', 5)
    worker.order('l1')
    expect(worker.order('s3')).toEqual([])
  })

  test('the next task waits in line behind one of 150 ms, and not behind one that is longer', () => {
    for (const [kind, runMs, lined] of [
      ['m', 150, ['m2 to 0']],
      ['l', 5_000, []],
    ] as const) {
      const worker = createWorker(1)
      worker.run(`${kind}0`, runMs)
      worker.order(`${kind}1`)
      worker.start(`${kind}1`)
      expect(worker.order(`${kind}2`, `${kind}3`)).toEqual(lined)
    }
  })

  test('where lines cannot be withdrawn from, nothing waits behind a task of 100 ms', () => {
    const worker = createWorker(1, 0, undefined, false)
    worker.run('m0', 100)
    worker.order('m1')
    expect(worker.order('m2')).toEqual([])
  })

  test('a slot that is free has what waits in the line of another', () => {
    const worker = createWorker(2)
    worker.run('m0', 100)
    expect(worker.order('m1', 'm2', 'm3')).toEqual(['m1 to 0', 'm2 to 1', 'm3 to 0'])
    worker.start('m1')
    worker.start('m2')
    expect(worker.end('m2', 100)).toEqual(['m2 ended', 'withdraw m3 on 0'])
    expect(worker.withdrawn('m3')).toEqual(['m3 to 1'])
  })

  test('what is to have another slot stays where it is when it has begun there, and goes back when the slot is lost', () => {
    const worker = createWorker(2)
    worker.run('m0', 100)
    worker.order('m1', 'm2', 'm3')
    worker.start('m1')
    worker.start('m2')
    worker.end('m2', 100)
    expect(worker.end('m1', 0)).toEqual(['m1 ended'])
    worker.start('m3')
    expect(worker.withdrawn('m3')).toEqual([])
    worker.order('m4', 'm5')
    expect(worker.end('m4', 100)).toEqual(['m4 ended', 'withdraw m5 on 0'])
    expect(worker.lose(0)).toEqual(['m3 failed', 'return m5 as asked'])
    expect(worker.withdrawn('m5')).toEqual([])
  })

  test('nothing waits behind a task of an unknown kind', () => {
    const worker = createWorker(1)
    worker.run('s0', 5)
    worker.order('u1')
    worker.start('u1')
    expect(worker.order('s1')).toEqual([])
    expect(worker.end('u1', 1)).toEqual(['u1 ended', 's1 to 0'])
  })

  test('after a cancel a short task takes the slot that is freed, and is not put behind the one that goes on', () => {
    const worker = createWorker(2)
    worker.run('s0', 5)
    worker.order('l1', 'l2')
    worker.start('l1')
    worker.start('l2')
    expect(worker.cancel('l2')).toEqual(['stop l2 on 1'])
    expect(worker.order('s1')).toEqual([])
    expect(worker.end('l2', 30)).toEqual(['s1 to 1'])
  })

  test('nothing waits behind a short task that is being stopped, until its slot is free', () => {
    const worker = createWorker(1)
    worker.run('s0', 5)
    worker.order('s1')
    worker.start('s1')
    worker.cancel('s1')
    expect(worker.order('s2')).toEqual([])
    expect(worker.lose(0)).toEqual(['s2 to 0'])
  })

  test('a kind that has become long lets nothing wait behind it any more', () => {
    const worker = createWorker(2)
    worker.run('s0', 10)
    worker.order('s1', 's2')
    for (const name of ['s1', 's2']) worker.start(name)
    expect(worker.end('s1', 1_000)).toEqual(['s1 ended'])
    worker.run('t0', 1)
    worker.order('u1')
    worker.start('u1')
    expect(worker.order('t1')).toEqual([])
  })

  test('a task that is stopped before it started makes its kind no short one', () => {
    const worker = createWorker(1)
    worker.order('l1')
    worker.cancel('l1')
    worker.end('l1', 0)
    expect(worker.order('l2', 'l3')).toEqual(['l2 to 0'])
  })

  test('a line that a cancelled task closed is open again when that is gone', () => {
    const worker = createWorker(1)
    worker.run('s0', 5)
    worker.order('s1', 's2', 's3')
    worker.start('s1')
    worker.cancel('s2')
    expect(worker.order('s4')).toEqual([])
    expect(worker.end('s2', 0)).toEqual(['s4 to 0'])
  })
})

describe('the life of an attempt', () => {
  test('inputs are fetched first', () => {
    const worker = createWorker(1)
    expect(worker.orderWithInputs('a1')).toEqual(['fetch for a1'])
    expect(worker.fetched('a1')).toEqual(['a1 to 0'])
  })

  test('an order that is said again changes nothing', () => {
    const worker = createWorker(1)
    worker.order('a1')
    expect(worker.order('a1')).toEqual([])
  })

  test('a task of a job that was submitted again goes elsewhere while its namesake is being stopped here', () => {
    const worker = createWorker(1)
    worker.order('a1')
    worker.start('a1')
    worker.cancel('a1')
    expect(worker.order('a1')).toEqual(['return a1 as asked'])
    worker.lose(0)
    expect(worker.order('a1')).toEqual(['a1 to 0'])
  })

  test('an end is reported on every new link until it is recorded', () => {
    const worker = createWorker(1)
    worker.order('a1')
    worker.start('a1')
    expect(worker.end('a1', 1)).toEqual(['a1 ended'])
    expect(worker.open()).toEqual(['a1 ended'])
    worker.acknowledge('a1')
    expect(worker.open()).toEqual([])
  })

  test('a task that ends in spite of a cancel is not reported, unless its worker holds a large result of it', () => {
    const worker = createWorker(2)
    worker.order('a1', 'a2')
    worker.cancel('a1', 'a2')
    expect(worker.end('a1', 1)).toEqual([])
    expect(worker.endLarge('a2')).toEqual(['a2 ended'])
    // The scheduler answers, and has the result forgotten.
    worker.acknowledge('a2')
    expect(worker.open()).toEqual([])
  })

  test('a lost slot fails what ran in it; what waited behind it runs elsewhere', () => {
    const worker = createWorker(1)
    worker.run('s0', 5)
    worker.order('s1', 's2')
    worker.start('s1')
    expect(worker.lose(0)).toEqual(['s1 failed', 's2 to 0'])
  })

  test('what waited behind a task that lost its slot goes on in the same order', () => {
    const worker = createWorker(1)
    worker.run('s0', 1)
    worker.order('s1', 's2', 's3', 's4')
    worker.start('s1')
    expect(worker.lose(0)).toEqual(['s1 failed', 's2 to 0', 's3 to 0', 's4 to 0'])
  })

  test('a worker with a stuck slot says how that task failed, and gives up with everything else', () => {
    const worker = createWorker(2)
    worker.order('a1', 'b1', 'c1')
    worker.start('a1')
    worker.start('b1')
    expect(worker.stick('a1', 0)).toEqual(['a1 failed', 'give up: slot 0 is stuck in native code: too long'])
    expect(worker.order('d1')).toEqual(['return d1'])
  })

  test('a task that was cancelled has no end to report when its slot is stuck', () => {
    const worker = createWorker(1)
    worker.order('a1')
    worker.start('a1')
    worker.cancel('a1')
    expect(worker.stick('a1', 0)).toEqual(['give up: slot 0 is stuck in native code: too long'])
  })

  test('a task that was put into a slot just before that was lost is run once', () => {
    const worker = createWorker(1)
    expect(worker.orderAndLose('a1', 0)).toEqual(['a1 to 0'])
  })

  test('what was told that the worker leaves and ends for it is given back, what comes to a result has it reported', () => {
    const worker = createWorker(3)
    worker.order('a1', 'b1', 'c1')
    for (const name of ['a1', 'b1', 'c1']) worker.start(name)
    worker.drain()
    worker.cancel('c1')
    expect(worker.giveNotice()).toEqual(['notify a1 on 0', 'notify b1 on 1'])
    expect(worker.giveNotice()).toEqual([])
    expect(worker.fail('a1')).toEqual(['return a1'])
    expect(worker.end('b1', 1)).toEqual(['b1 ended'])
    expect(worker.fail('c1')).toEqual([])
    expect(worker.acknowledge('b1')).toEqual(['leave'])
  })

  test('a draining worker returns what does not run, and leaves when all is recorded', () => {
    const worker = createWorker(1)
    worker.order('a1', 'a2')
    worker.start('a1')
    expect(worker.drain()).toEqual(['return a2'])
    expect(worker.order('a3')).toEqual(['return a3'])
    expect(worker.end('a1', 1)).toEqual(['a1 ended'])
    expect(worker.acknowledge('a1')).toEqual(['leave'])
  })
})

test('the end of an attempt that saved a checkpoint says so, and no other', () => {
  const worker = createWorker(1)
  worker.order('a1', 'a2')
  worker.start('a1')
  worker.save('a1')
  expect(worker.end('a1', 1_000)).toContain('a1 ended with a checkpoint')
  worker.start('a2')
  expect(worker.end('a2', 1_000)).toContain('a2 ended')
})
