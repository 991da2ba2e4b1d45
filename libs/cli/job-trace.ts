import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'

import { meshDirOf } from '#libs/lifecycle'
import { attribute, buildTraceTree, readRunSpans, type TraceNode } from '#libs/telemetry'

import { readRunDir } from './mesh.js'
import { listMeshNames } from './mesh-status.js'

/** The spans of a job, as a run folder has them. */
export interface JobTrace {
  readonly runDir: string
  readonly traceId: string
  readonly nodes: readonly TraceNode[]
}

/**
 * The run folders that a job may be in, the newest first: those below `.costate/runs` of the working folder, and those of
 * this user's meshes.
 */
export async function listRunDirs(workingDir: string): Promise<string[]> {
  const runs = path.join(workingDir, '.costate', 'runs')
  const here = (await readdir(runs).catch(() => [])).map((name) => path.join(runs, name))
  const ofMeshes = await Promise.all((await listMeshNames()).map((name) => readRunDir(meshDirOf(name))))
  const folders = [...new Set([...here, ...ofMeshes.filter((folder) => folder !== undefined)])]
  const dated = await Promise.all(folders.map(async (folder) => ({ folder, changedAtMs: await changeTimeOf(folder) })))
  return dated.sort((a, b) => b.changedAtMs - a.changedAtMs).map(({ folder }) => folder)
}

/** The trace of a job from the first of the run folders that knows it, or nothing. */
export async function findJobTrace(jobId: string, runDirs: readonly string[]): Promise<JobTrace | undefined> {
  for (const runDir of runDirs) {
    const spans = await readRunSpans(runDir)
    const traceId = spans.find(({ attributes }) => attributes[attribute.jobId] === jobId)?.traceId
    if (traceId === undefined) continue
    return { runDir, traceId, nodes: [...topmostOf(jobId, buildTraceTree(spans, traceId))] }
  }
  return undefined
}

/** A program that submits several jobs below a span of its own has them all in one trace: only this job's part counts. */
function* topmostOf(jobId: string, nodes: readonly TraceNode[]): Generator<TraceNode> {
  for (const node of nodes) {
    if (node.span.attributes[attribute.jobId] === jobId) yield node
    else yield* topmostOf(jobId, node.children)
  }
}

async function changeTimeOf(folder: string): Promise<number> {
  return await stat(path.join(folder, 'traces')).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
}
