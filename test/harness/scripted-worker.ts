import { makeHello } from '#libs/proto'

import { encodeMessage, type Message } from './contract.js'
import { createDynamicClient, readServiceAddress, readToken } from './dynamic-client.js'

/** A worker that runs nothing: it says what a test wants the scheduler to hear, over a real link. */
export interface ScriptedWorker {
  /** It is alive, and has measured how fast it gets inputs. */
  sayAlive(fetchBytesPerSecond: number): void
  /** The next task that it is sent; all before were heard. */
  hearTask(): Promise<SentTask>
  /** The task finished without a value, and ran so long. */
  sayFinished(task: SentTask, runMs: number): void
  leave(): void
}

/** An attempt that the scheduler sent. */
export interface SentTask {
  readonly taskId: string
  readonly epoch: string
  readonly attempt: number
}

interface RunTasks {
  readonly jobs: readonly { readonly job_id: string }[]
  readonly tasks: readonly { readonly job: number; readonly index: number; readonly epoch: string; attempt: number }[]
}

/** Joins the mesh with one slot, on a host of its own. */
export async function joinScriptedWorker(meshDir: string, workerId: string): Promise<ScriptedWorker> {
  const scheduler = await readServiceAddress(meshDir, 'scheduler')
  const client = createDynamicClient(scheduler, await readToken(meshDir, 'worker'))
  const link = client.converse('costate.scheduler.v1.SchedulerService/Link')
  const { protocolVersion, packageVersion } = makeHello()
  const hello = { protocol_version: protocolVersion, package_version: packageVersion }
  const profile: Message = { worker_id: workerId, host: 'elsewhere', slots: 1, addresses: ['127.0.0.1:1'] }
  link.say({ hello: { hello, ...profile } })
  await link.hear('welcome')
  const sent: SentTask[] = []
  return {
    sayAlive: (fetchBytesPerSecond) => link.say({ heartbeat: { fetch_bytes_per_second: String(fetchBytesPerSecond) } }),
    hearTask: async () => {
      if (sent.length === 0) {
        const { jobs, tasks } = (await link.hear('run_tasks')) as unknown as RunTasks
        for (const { job, index, epoch, attempt } of tasks) {
          sent.push({ taskId: `${jobs[job]?.job_id}/${index}`, epoch, attempt })
        }
      }
      return sent.shift() as SentTask
    },
    sayFinished: ({ taskId, epoch, attempt }, runMs) => {
      const payload = encodeMessage('costate.types.v1.Payload', { root: { atom: 1 } })
      const times = { started_at_ms: 1, ended_at_ms: 1 + runMs }
      link.say({ tasks_ended: { tasks: [{ attempt: { task_id: taskId, epoch, attempt }, payload, ...times }] } })
    },
    leave: () => {
      link.say({ goodbye: { reason: 'the script is over' } })
      link.end()
      client.close()
    },
  }
}
