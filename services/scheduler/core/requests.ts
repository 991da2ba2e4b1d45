import { emit } from './emit.js'
import { answer, type AnswerContent, type Out } from './effect.js'
import type { EventOf } from './event.js'
import { occupantsOf } from './slots.js'
import type { RememberedAnswer, State, Worker, WorkerView } from './state.js'

/** A request that changes something, and must change it once. */
export type Mutation = EventOf<'cancelRequested' | 'taskRegistered' | 'persistRequested' | 'drainRequested'>

/**
 * Serves a request, or gives its first answer when it has come before. A refusal changed nothing and is not remembered: the
 * same request may be served later.
 */
export function answerOnce<M extends Mutation>(
  state: State,
  event: M,
  out: Out,
  serve: (state: State, event: M, out: Out) => void,
): void {
  const { requestId, callId, atMs } = event
  if (requestId === undefined || callId === undefined) return serve(state, event, out)
  const request = nameOf(event)
  const first = state.requests.get(requestId)
  if (first && atMs - first.atMs <= state.policy.rememberMs) return repeatAnswer(first, event, requestId, request, out)
  const before = out.effects.length
  serve(state, event, out)
  const given = out.effects.slice(before).find((effect) => effect.kind === 'answer' && effect.callId === callId)
  if (given?.kind !== 'answer' || given.refusal) return
  const { jobId } = given
  const worker = event.kind === 'drainRequested' ? state.workers.get(event.workerId) : undefined
  const content: AnswerContent = { ...(jobId && { jobId }), ...(worker && { worker: viewOf(worker) }) }
  emit(state, out, { kind: 'requestAnswered', requestId, answer: { atMs, request, ...content } })
  forgetAnswers(state, atMs, out)
}

/** The oldest answers go when they are old or too many. */
function forgetAnswers(state: State, nowMs: number, out: Out): void {
  const { requests, policy } = state
  for (const [requestId, { atMs }] of requests) {
    if (requests.size <= policy.rememberRequests && atMs >= nowMs - policy.rememberMs) return
    emit(state, out, { kind: 'requestForgotten', requestId })
  }
}

/** The worker as it is now. */
export function viewOf(worker: Worker): WorkerView {
  const { profile, draining, quarantine, pulse, tasks, awaiting, objects, extraSlots } = worker
  // What is sent ahead takes no slot yet.
  const used = { cpu: Math.min(profile.slots, occupantsOf(worker) + extraSlots), ...Object.fromEntries(worker.used) }
  const counts = { taskCount: tasks.size, awaitingCount: awaiting.size, objectCount: objects.size, used }
  return { profile, draining, ...(quarantine ? { quarantine } : {}), pulse, ...counts }
}

function repeatAnswer(first: RememberedAnswer, event: Mutation, requestId: string, request: string, out: Out): void {
  const { atMs: _, request: served, ...content } = first
  if (served === request) return answer(out, event, content)
  const message = `request id ${requestId} was used before, for ${served}: use a new one per request`
  const fieldViolations = [{ field: 'request_id', description: message }]
  const refusal = { code: 'INVALID_ARGUMENT', reason: 'REQUEST_ID_REUSED', message, metadata: { requestId } } as const
  answer(out, event, { refusal: { ...refusal, fieldViolations } })
}

/** What a request asks for. Two with the same name are duplicates when they have the same id. */
function nameOf(event: Mutation): string {
  switch (event.kind) {
    case 'cancelRequested':
      return `the cancel of job ${event.jobId}`
    case 'taskRegistered':
      return `the registration of ${event.name}@${event.version} as ${event.function.taskName} of ${event.function.bundleDigest}`
    case 'persistRequested':
      return `the pin of job ${event.jobId} as ${event.name}`
    case 'drainRequested':
      return `the drain of worker ${event.workerId}`
    default:
      return event satisfies never
  }
}
