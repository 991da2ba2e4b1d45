import { expect, test } from 'vitest'

import { type LinkRequest, type LinkResponse, makeHello } from '#libs/proto'
import { rpcError } from '#libs/rpc'
import { Outbox } from '#libs/transfer'

import { openSchedulerLink } from './scheduler-link.js'

type Client = Parameters<typeof openSchedulerLink>[0]

/** A link to a scheduler that the test speaks for. */
function openLink() {
  const heard: LinkRequest[] = []
  const broken: Error[] = []
  let dialled = 0
  let answers = new Outbox<LinkResponse>()
  const events: { wake?: () => void } = {}
  const client = {
    link: (requests: AsyncIterable<LinkRequest>) => {
      dialled++
      const mine = (answers = new Outbox<LinkResponse>())
      const listen = async (): Promise<void> => {
        for await (const request of requests) heard.push(request)
        mine.end()
      }
      void listen()
      events.wake?.()
      return answers
    },
  } as unknown as Client
  const nextDial = (): Promise<void> => new Promise((resolve) => (events.wake = resolve))
  const opening = nextDial()
  const link = openSchedulerLink(
    client,
    {
      greeting: () => [{ report: { $case: 'goodbye', value: { reason: `greeting ${dialled}` } } }],
      opened: () => undefined,
      closed: () => undefined,
      broke: (error) => broken.push(error),
      commanded: () => undefined,
      refused: () => undefined,
      abandoned: () => undefined,
    },
    { abandonAfterMs: 60_000, jitter: () => 0 },
  )
  const welcome = (): void => {
    answers.push({
      command: { $case: 'welcome', value: { hello: makeHello(), epoch: 1n, heartbeatIntervalMs: 1_000 } },
    })
  }
  return { link, heard, broken, opening, nextDial, welcome, fail: (error: Error) => answers.end(error) }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a report is said only while there is a link, and who reports hears which', async () => {
  const { link, opening, welcome, heard } = openLink()
  await opening
  const beat: NonNullable<LinkRequest['report']> = {
    $case: 'heartbeat',
    value: { rssBytes: 1n, heldBytes: 0n, spilledBytes: 0n, loopLagMs: 0, paused: false, fetchBytesPerSecond: 0n },
  }
  expect(link.report(beat)).toBe(false)
  expect(link.unlinkedSinceMs).toBeGreaterThan(0)
  welcome()
  await turn()
  expect(link.report(beat)).toBe(true)
  expect(link.unlinkedSinceMs).toBeUndefined()
  await turn()
  expect(heard.map(({ report }) => report?.$case)).toEqual(['goodbye', 'heartbeat'])
  await link.close()
})

test('a message that was too large is told as that, and the link is dialled again', async () => {
  const { link, opening, nextDial, fail, broken } = openLink()
  await opening
  const again = nextDial()
  fail(rpcError('RESOURCE_EXHAUSTED', 'TOO_LARGE', 'received message larger than max'))
  await again
  expect(broken).toHaveLength(1)
  expect(broken[0]?.message).toMatch(/longer than an end of it takes \(16 MiB\).*larger than max/)
  await link.close()
})
