import { expect, test } from 'vitest'

import { ringLater, ringNow } from './news-bell.js'
import { createThreadHosts } from './thread-host.js'

/** A thread that runs this code when it is told something, and what is heard of it until it has ended. */
async function hear(code: string): Promise<string[]> {
  const program = `import { parentPort as port, workerData } from 'node:worker_threads'
    const say = (message, ring) => {
      workerData.news.postMessage(message)
      if (ring) port.postMessage(ring)
    }
    const start = (key, ring) => say({ kind: 'turn', started: { key, startedAtMs: 0 } }, ring)
    port.once('message', () => { ${code} })`
  const heard: string[] = []
  return await new Promise((resolve) => {
    const start = createThreadHosts(new URL(`data:text/javascript,${encodeURIComponent(program)}`))
    const host = start(0, {
      heard: (message) => heard.push(message.kind === 'turn' ? `${message.started?.key} started` : message.kind),
      wrote: () => undefined,
      stuck: () => undefined,
      ended: ({ reason }) => resolve([...heard, reason]),
    })
    host.post({ kind: 'collect' })
  })
}

test('what may wait is heard with what is said next, in the order in which it was said', async () => {
  const heard = await hear(
    `start('a', ${ringLater}); start('b'); say({ kind: 'span', line: '' }, ${ringNow}); start('c'); process.exit(3)`,
  )
  expect(heard).toEqual(['a started', 'b started', 'span', 'c started', 'TASK_EXITED'])
})

test('it is heard before the end of a thread that says no more', async () => {
  expect(await hear(`start('a', ${ringLater}); process.exit(3)`)).toEqual(['a started', 'TASK_EXITED'])
})
