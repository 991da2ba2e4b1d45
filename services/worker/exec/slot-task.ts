import { type LoadedBundle, loadBundle } from '#libs/bundle'
import { decodeArguments, type TaskArguments } from '#libs/submission'
import { codecsOf } from '#libs/task'
import { withTaskTrace } from '#libs/telemetry/thread'
import { copySegments, copySegmentsTo, encodePayload, encodeValue, type EncodedValue, packStructure } from '#libs/value'

import { type BorrowedMemory, viewOf } from './borrowed-memory.js'
import { failureOf } from './failure-of.js'
import { cutLine } from './line.js'
import { createSlotContext, type SlotContext, type SlotRun } from './slot-context.js'
import type { ChildNews, FromSlot, SlotCall, SlotOutcome, SlotTask } from './slot-messages.js'

/** Results up to this many bytes travel in the report; larger ones stay with the worker as objects. */
const maxInlineBytes = 32 * 1024

/** Runs tasks in this thread, one at a time. */
export interface SlotTaskRunner {
  run(task: SlotTask, how: SlotRun): Promise<SlotOutcome>
  /** Tells the task that runs now what became of a job that it submitted. */
  tell(jobId: string, news: ChildNews): void
  /** Writes a line for the task that runs now. */
  log(level: string, text: string): void
}

export function createSlotTaskRunner(
  say: (message: FromSlot, transfer?: readonly ArrayBuffer[]) => void,
  memory?: BorrowedMemory,
): SlotTaskRunner {
  const bundles = new Map<string, Promise<LoadedBundle>>()
  let current: SlotContext | undefined

  const bundleOf = ({ bundleDigest, bundlePath }: SlotCall): Promise<LoadedBundle> => {
    let bundle = bundles.get(bundleDigest)
    if (bundle === undefined) {
      bundle = loadBundle(bundlePath)
      bundles.set(bundleDigest, bundle)
      // A module that failed may load the next time (a file that it reads may be there by then).
      bundle.catch(() => bundles.delete(bundleDigest))
    }
    return bundle
  }

  return {
    run: async (task, how) => {
      let args: TaskArguments | undefined
      try {
        const { call } = task
        const bundle = await bundleOf(call)
        const called = bundle.find(call.taskName) as unknown as (...args: unknown[]) => unknown
        const check = (taskName: string): void => void bundle.find(taskName)
        const codecs = codecsOf(called)
        const context = createSlotContext({ ...how, task, check, codecs, say })
        current = context
        const { jobId, taskName, verifyInputs } = call
        const what = `task ${taskName} (${task.taskId})`
        args = decodeArguments(task.input, task.inputs, { what, jobId, codecs, verifyInputs, areOwned: true })
        const { values, watch } = args
        const result = await withTaskTrace(task.trace, () => called(...values, context))
        const change = watch?.findChange(undefined)
        if (change) return { kind: 'failed', failure: failureOf(change) }
        return outcomeOf(encodeValue(result, `the result of task ${task.taskId}`, { codecs }), memory)
      } catch (error) {
        return { kind: 'failed', failure: failureOf(args?.watch?.findChange(error) ?? error) }
      } finally {
        // Whoever goes on from here must find what was saved last; most tasks save nothing, and wait for nothing.
        const saved = current?.saved()
        if (saved) await saved
        current?.close()
        current = undefined
      }
    },
    tell: (jobId, news) => current?.take(jobId, news),
    log: (level, text) => {
      const { taskId = '', attempt = 0 } = current ?? {}
      say({ kind: 'log', line: { taskId, attempt, level, text: cutLine(text), atMs: Date.now() } })
    },
  }
}

function outcomeOf(value: EncodedValue, memory: BorrowedMemory | undefined): SlotOutcome {
  const encoded = packStructure(value)
  if (encoded.byteLength <= maxInlineBytes) {
    const payload = encodePayload(encoded)
    if (payload.byteLength <= maxInlineBytes) return { kind: 'payload', payload }
  }
  const structure = encoded.root
  // Copied at once: the task may have kept what it returned. And memory that a thread hands over slows down all of it.
  const loan = memory?.take(encoded.byteLength)
  if (loan === undefined) return { kind: 'body', structure, bytes: copySegments(encoded) }
  const bytes = viewOf(loan)
  copySegmentsTo(bytes, encoded.segments)
  return { kind: 'body', structure, bytes, loan }
}
