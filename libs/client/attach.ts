import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { localizeStack } from '#libs/bundle'
import { MeshJob } from '#libs/submission'

import { type MeshConnection } from './mesh-connection.js'
import { meshErrorOf } from './mesh-error.js'

/** Takes up a job that this or another client submitted, by its id or the name it was persisted under. */
export async function attachJob(connection: MeshConnection, jobIdOrName: string): Promise<MeshJob> {
  const { scheduler, session, jobs } = connection
  try {
    const { job: wire } = await scheduler.getJob({ jobId: jobIdOrName })
    if (wire === undefined) throw new Error('the scheduler answered without a job')
    const known = jobs.get(wire.jobId)
    if (known) return known
    const taskNames = await namesOf(connection, wire.jobId)
    // Another call may have taken the job up meanwhile.
    const taken = jobs.get(wire.jobId)
    if (taken) return taken
    const backend = connection.jobBackend(localizeHere)
    const job = new MeshJob(wire.jobId, wire.name, carrierOf(wire.traceId), backend)
    for (const name of taskNames) job.addFuture(name)
    job.isSent = true
    jobs.add(job)
    session.say({ $case: 'follow', value: { jobId: job.id } })
    return job
  } catch (error) {
    throw meshErrorOf(error)
  }
}

async function namesOf({ scheduler }: MeshConnection, jobId: string): Promise<string[]> {
  const names: string[] = []
  let pageToken = ''
  do {
    const page = await scheduler.listTasks({ jobId, pageSize: 1_000, pageToken })
    names.push(...page.tasks.map(({ name }) => name))
    pageToken = page.nextPageToken
  } while (pageToken !== '')
  return names
}

/** Spans of this program belong to the job's trace; the span of the submit, which would be their parent, is not known here. */
function carrierOf(traceId: string): Record<string, string> {
  return traceId === '' ? {} : { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` }
}

/** Where the task modules lie is not known; often in the project of the program that attaches. */
function localizeHere(stack: string): string {
  return localizeStack(stack, pathToFileURL(process.argv[1] ?? path.resolve('program')).href)
}
