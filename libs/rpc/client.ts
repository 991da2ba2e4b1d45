import type { Channel } from '@grpc/grpc-js'
import { type Client, type CompatServiceDefinition, createClientFactory } from 'nice-grpc'
import {
  ClientError,
  type CallOptions,
  type ClientMiddleware,
  type ClientMiddlewareCall,
  Metadata,
} from 'nice-grpc-common'
import { type ChannelFacts, factsOf } from './channel.js'
import { isHealthPath } from './health.js'
import { sendLargeRequests } from './large-message.js'
import { retryDelayMs, sleep } from './retry.js'
import { prepareDefinition } from './service-definition.js'
import { failureOf, readRpcFailure, RpcClientError } from './status.js'
import { DETAILS_KEY } from './status-details.js'
import { traceClientCall } from './tracing.js'

/** What every call may be given besides metadata and signal. */
export interface RpcCallOptions {
  /** A Date, or milliseconds from now. Unary calls have 30 s unless given, streams none. It reaches the server. */
  readonly deadline?: Date | number | undefined
}

/** The methods of a service as functions; they throw what `readRpcFailure` reads. */
export type RpcClient<S extends CompatServiceDefinition> = Client<S, RpcCallOptions>

const DEFAULT_DEADLINE_MS = 30_000
/** A grpc-js server takes a timeout that overflows 31 bits of milliseconds for one that has passed. */
const MAX_DEADLINE_MS = 20 * 86_400_000

/**
 * A client for a service on a channel of `createRpcChannel`: it sends the token, sets deadlines, reads rich errors,
 * traces unary calls and repeats those which the proto calls idempotent (`idempotency_level`) when the server is
 * unavailable.
 */
export function createRpcClient<S extends CompatServiceDefinition>(definition: S, channel: Channel): RpcClient<S> {
  const dial = createDialler(channel)
  const middleware = createMiddleware(factsOf(channel), dial.within)
  // The same methods in another shape, which the type of S does not show.
  const prepared = prepareDefinition(definition) as unknown as S
  return createClientFactory().use(middleware).create(prepared, dial.channel)
}

/**
 * nice-grpc has no way to give a call its gRPC deadline. It creates the call synchronously when its generator is first
 * asked for a message, so the deadline of that moment is the call's.
 */
function createDialler(channel: Channel) {
  const { kind } = factsOf(channel)
  let current = Infinity
  const within = <T>(deadlineAtMs: number, begin: () => T): T => {
    const outer = current
    current = deadlineAtMs
    try {
      return begin()
    } finally {
      current = outer
    }
  }
  const view = Object.create(channel) as Channel
  view.createCall = (method, _deadline, ...rest) =>
    sendLargeRequests(channel.createCall(method, current, ...rest), kind)
  return { channel: view, within }
}

type Within = ReturnType<typeof createDialler>['within']

function createMiddleware(facts: ChannelFacts, within: Within): ClientMiddleware<RpcCallOptions> {
  return async function* (call, options) {
    const { deadline, ...rest } = options
    const metadata = Metadata(rest.metadata).set('authorization', `Bearer ${facts.token}`)
    if (call.requestStream || call.responseStream) {
      return yield* callStream(call, { ...rest, metadata }, deadlineAt(deadline, Infinity), within)
    }
    const deadlineAtMs = deadlineAt(deadline, DEFAULT_DEADLINE_MS)
    const { path } = call.method
    // Probes run for ever and are nobody's trace.
    if (isHealthPath(path)) return await callUnary(call, { ...rest, metadata }, deadlineAtMs, within, facts)
    return await traceClientCall({ path, server: facts.server }, metadata, (traced) =>
      callUnary(call, { ...rest, metadata: traced }, deadlineAtMs, within, facts),
    )
  }
}

async function callUnary<Request, Response>(
  call: ClientMiddlewareCall<Request, Response>,
  options: CallOptions,
  deadlineAtMs: number,
  within: Within,
  { isPatient }: ChannelFacts,
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const watched = watchTrailer(options)
    try {
      const iterator = call.next(call.request, watched.options)
      // A unary call yields nothing: its first step is its answer.
      return (await within(deadlineAtMs, () => iterator.next())).value as Response
    } catch (error) {
      const rich = watched.explain(error)
      if (call.method.options.idempotencyLevel === undefined) throw rich
      const state = {
        attempt,
        isPatient,
        remainingMs: deadlineAtMs - Date.now(),
        trailer: watched.trailer(),
        random: Math.random(),
      }
      const delayMs = retryDelayMs(readRpcFailure(rich), state)
      if (delayMs === undefined) throw rich
      await sleep(delayMs, options.signal)
    }
  }
}

async function* callStream<Request, Response>(
  call: ClientMiddlewareCall<Request, Response>,
  options: CallOptions,
  deadlineAtMs: number,
  within: Within,
): AsyncGenerator<Response, Response | undefined, undefined> {
  const watched = watchTrailer(options)
  const iterator = call.next(call.request, watched.options) as AsyncGenerator<Response, Response | undefined, undefined>
  const next = iterator.next.bind(iterator)
  iterator.next = () => within(deadlineAtMs, next)
  try {
    return yield* iterator
  } catch (error) {
    throw watched.explain(error)
  }
}

/** Remembers the trailer of a call, which holds the details of its error. */
function watchTrailer(options: CallOptions) {
  let trailer: Metadata | undefined
  return {
    options: {
      ...options,
      onTrailer(received: Metadata) {
        trailer = received
        options.onTrailer?.(received)
      },
    },
    trailer: () => trailer,
    explain(error: unknown): unknown {
      if (!(error instanceof ClientError) || error instanceof RpcClientError) return error
      return new RpcClientError(error, failureOf(error.code, error.details, trailer?.get(DETAILS_KEY)))
    },
  }
}

function deadlineAt(deadline: Date | number | undefined, defaultMs: number): number {
  if (deadline instanceof Date) return Math.min(deadline.getTime(), Date.now() + MAX_DEADLINE_MS)
  const durationMs = deadline ?? defaultMs
  return durationMs === Infinity ? Infinity : Date.now() + Math.min(durationMs, MAX_DEADLINE_MS)
}
