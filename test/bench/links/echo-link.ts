import {
  type AttemptRef,
  type LinkRequest,
  makeHello,
  Payload,
  type RunTasks,
  type SchedulerServiceDefinition,
  type TaskEnded,
  WorkerHello,
} from '#libs/proto'
import type { RpcClient } from '#libs/rpc'
import { Outbox } from '#libs/transfer'

/** A worker of one slot that gives every task's first argument back at once. */
export interface EchoLink {
  /** Resolves when the scheduler has welcomed it. */
  readonly opened: Promise<void>
  /** Says goodbye and resolves when the scheduler has ended the link. */
  leave(): Promise<void>
}

const empty = Buffer.alloc(0)

export function openEchoLink(client: RpcClient<typeof SchedulerServiceDefinition>, workerId: string): EchoLink {
  const outbox = new Outbox<LinkRequest>()
  const say = (report: NonNullable<LinkRequest['report']>): void => outbox.push({ report })
  let heartbeat: NodeJS.Timeout | undefined
  let settleOpened!: { resolve: () => void; reject: (error: unknown) => void }
  const opened = new Promise<void>((resolve, reject) => (settleOpened = { resolve, reject }))
  say({
    $case: 'hello',
    value: WorkerHello.fromPartial({
      ...{ hello: makeHello(), workerId, host: 'localhost', pid: process.pid, slots: 1, addresses: ['127.0.0.1:1'] },
    }),
  })
  const converse = async (): Promise<void> => {
    for await (const { command } of client.link(outbox)) {
      if (command?.$case === 'runTasks') {
        const attempts = attemptsOf(command.value)
        const atMs = Date.now()
        const started = attempts.map((attempt) => ({ attempt, atMs, slot: 0 }))
        const tasks = command.value.tasks.map(({ input }, k) => endOf(attempts[k]!, input, atMs))
        say({ $case: 'tasksEnded', value: { started, tasks } })
      } else if (command?.$case === 'welcome') {
        const beat = (): void =>
          say({
            $case: 'heartbeat',
            value: {
              rssBytes: 0n,
              heldBytes: 0n,
              spilledBytes: 0n,
              loopLagMs: 0,
              paused: false,
              fetchBytesPerSecond: 0n,
            },
          })
        heartbeat = setInterval(beat, command.value.heartbeatIntervalMs)
        settleOpened.resolve()
      }
    }
  }
  const ended = converse()
    .catch(settleOpened.reject)
    .finally(() => clearInterval(heartbeat))
  return {
    opened,
    leave: async () => {
      say({ $case: 'goodbye', value: { reason: 'the measurement is over' } })
      outbox.end()
      await ended
    },
  }
}

function attemptsOf({ jobs, tasks }: RunTasks): AttemptRef[] {
  return tasks.map(({ job, index, epoch, attempt }) => {
    return { taskId: `${jobs[job]?.jobId}/${index}`, epoch, attempt, running: false, behind: [] }
  })
}

function endOf(attempt: AttemptRef, input: Uint8Array, atMs: number): TaskEnded {
  const kind = Payload.decode(input).root?.kind
  const root = kind?.$case === 'list' ? kind.value.values[0] : undefined
  const value = Buffer.from(Payload.encode({ root, body: empty }).finish())
  return {
    attempt,
    startedAtMs: atMs,
    endedAtMs: atMs,
    slot: 0,
    savedCheckpoint: false,
    outcome: { $case: 'payload', value },
  }
}
