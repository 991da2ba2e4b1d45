import { describe, expect, test } from 'vitest'

import { createWorker } from './testing/worker.js'

describe('a task that waits for tasks that it submitted', () => {
  test('leaves its slot to others, and goes on when it is given one and one is free', () => {
    const worker = createWorker(1)
    worker.order('p1')
    worker.start('p1')
    worker.order('c1', 'c2')
    expect(worker.await('p1')).toEqual(['park p1 of 0', 'p1 waits 1', 'c1 to 0'])
    worker.start('c1')
    expect(worker.wake('p1')).toEqual(['p1 wakes 1'])
    expect(worker.resume('p1')).toEqual([])
    expect(worker.end('c1', 1)).toEqual(['c1 ended', 'resume p1 on 0'])
    expect(worker.resume('p1')).toEqual([])
    expect(worker.end('p1', 1)).toEqual(['p1 ended', 'c2 to 0'])
  })

  test('did not have to say that it began; what waits behind it goes into a line again', () => {
    const worker = createWorker(1)
    worker.run('s0', 5)
    worker.run('t0', 5)
    worker.order('s1', 't2', 't3')
    expect(worker.await('s1')).toEqual(['park s1 of 0', 's1 waits 1', 't2 to 0', 't3 to 0'])
  })

  test('has those of its kind given back that have not begun: they would wait as well, before what it waits for comes', () => {
    const worker = createWorker(1)
    worker.run('s0', 5)
    worker.order('s1', 's2', 't3', 's4')
    expect(worker.await('s1')).toEqual([
      ...['return s2 as asked', 'return s4 as asked'],
      ...['park s1 of 0', 's1 waits 1', 't3 to 0'],
    ])
  })

  test('leaves here what others follow', () => {
    const worker = createWorker(1)
    worker.run('s0', 5)
    worker.order('s1', 's2')
    worker.orderBehind('t3', 's2')
    expect(worker.await('s1')).toEqual(['park s1 of 0', 's1 waits 1', 's2 to 0'])
  })

  test('gives back what was asked back from behind it, and late news of that from its thread changes nothing', () => {
    const worker = createWorker(1)
    worker.run('s0', 5)
    worker.run('t0', 5)
    worker.order('s1', 't2', 't3')
    expect(worker.recall('t2')).toEqual(['withdraw t2 on 0'])
    expect(worker.await('s1')).toEqual(['return t2 as asked', 'park s1 of 0', 's1 waits 1', 't3 to 0'])
    expect(worker.withdrawn('t2')).toEqual([])
  })

  test('keeps who takes its result waiting, but not in the line of its slot', () => {
    const worker = createWorker(1)
    worker.run('s0', 5)
    worker.run('t0', 5)
    worker.order('s1')
    worker.orderBehind('s2', 's1')
    worker.order('t3')
    worker.orderBehind('s4', 't3')
    expect(worker.await('s1')).toEqual(['park s1 of 0', 's1 waits 1', 't3 to 0', 's4 to 0 behind t3'])
    expect(worker.orderBehind('s5', 's1')).toEqual([])
    worker.wake('s1')
    worker.resume('s1')
    worker.end('t3', 1)
    expect(worker.end('s4', 1)).toEqual(['s4 ended', 'resume s1 on 0'])
    expect(worker.end('s1', 1)).toEqual(['s1 ended', 's2 to 0 with s1', 's5 to 0 with s1'])
  })

  test('goes on before what would follow what runs', () => {
    const worker = createWorker(1)
    worker.run('s0', 5)
    worker.order('p1')
    worker.start('p1')
    worker.await('p1')
    worker.order('s1')
    worker.wake('p1')
    worker.resume('p1')
    expect(worker.orderBehind('s2', 's1')).toEqual([])
    expect(worker.end('s1', 1)).toEqual(['s1 ended', 'resume p1 on 0'])
    expect(worker.end('p1', 1)).toEqual(['p1 ended', 's2 to 0 with s1'])
  })

  test('has followers that are not run when it is lost', () => {
    const worker = createWorker(1)
    worker.order('p1')
    worker.orderBehind('s1', 'p1')
    worker.start('p1')
    worker.await('p1')
    expect(worker.loseParked('p1')).toEqual(['p1 failed'])
    expect(worker.cancel('s1')).toEqual([])
    worker.drain()
    expect(worker.acknowledge('p1')).toEqual(['leave'])
  })

  test('is said again on a new link, and each wait is told apart', () => {
    const worker = createWorker(1)
    worker.order('p1')
    worker.start('p1')
    worker.await('p1')
    expect(worker.open()).toEqual(['p1 waits 1'])
    worker.wake('p1')
    expect(worker.open()).toEqual(['p1 wakes 1'])
    worker.resume('p1')
    worker.await('p1', 2)
    worker.wake('p1', 2)
    expect(worker.resume('p1', 1)).toEqual([])
    expect(worker.resume('p1', 2)).toEqual(['resume p1 on 0'])
  })

  test('keeps its devices', () => {
    const worker = createWorker(1, 1)
    worker.orderWithGpus('g1', 1)
    worker.start('g1')
    worker.await('g1')
    expect(worker.orderWithGpus('g2', 1)).toEqual([])
    worker.wake('g1')
    expect(worker.resume('g1')).toEqual(['resume g1 on 0'])
    expect(worker.end('g1', 1)).toEqual(['g1 ended', 'g2 to 0 with gpu 0'])
  })

  test('is stopped, lost with its thread, or ends without having been woken', () => {
    const worker = createWorker(1)
    for (const name of ['p1', 'p2', 'p3']) {
      worker.order(name)
      worker.start(name)
      worker.await(name)
    }
    expect(worker.cancel('p1')).toEqual(['stop p1 on 0'])
    expect(worker.end('p1', 1)).toEqual([])
    expect(worker.loseParked('p2')).toEqual(['p2 failed'])
    expect(worker.end('p3', 1)).toEqual(['p3 ended'])
    worker.acknowledge('p2', 'p3')
    expect(worker.drain()).toEqual(['leave'])
  })

  test('is refused when too many wait, and what was behind it stays there', () => {
    const worker = createWorker(1, 0, 1)
    worker.order('p1')
    worker.start('p1')
    worker.await('p1')
    worker.order('p2', 'c3')
    worker.start('p2')
    expect(worker.await('p2')).toEqual(['refuse wait 1 of p2'])
    expect(worker.end('p2', 1)).toEqual(['p2 ended', 'c3 to 0'])
  })

  test('a worker that drains finishes it first', () => {
    const worker = createWorker(1)
    worker.order('p1')
    worker.start('p1')
    worker.await('p1')
    expect(worker.drain()).toEqual([])
    worker.wake('p1')
    worker.resume('p1')
    expect(worker.end('p1', 1)).toEqual(['p1 ended'])
    expect(worker.acknowledge('p1')).toEqual(['leave'])
  })
})
