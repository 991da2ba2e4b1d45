import { expect, test } from 'vitest'

import {
  CheckpointServiceDefinition,
  ProvisionerServiceDefinition,
  SchedulerServiceDefinition,
  TransferServiceDefinition,
} from '#libs/proto'
import { checkpointServiceDefinition, transferDefinition } from '#libs/transfer'

import { contractServices } from '../harness/contract.js'

/** What every client must agree on about a method. */
interface MethodFacts {
  readonly path: string
  readonly streams: readonly [request: boolean, response: boolean]
  readonly idempotency: string
}

interface GeneratedMethod {
  readonly name: string
  readonly requestStream: boolean
  readonly responseStream: boolean
  readonly options: { readonly idempotencyLevel?: string }
}

const generated = [
  SchedulerServiceDefinition,
  TransferServiceDefinition,
  CheckpointServiceDefinition,
  ProvisionerServiceDefinition,
]

function factsOfContract(service: string): MethodFacts[] {
  return Object.values(contractServices.get(service) ?? {})
    .map(({ path, requestStream, responseStream, options }) => ({
      path,
      streams: [requestStream, responseStream] as const,
      idempotency: options.idempotency_level,
    }))
    .sort(byPath)
}

function byPath(a: MethodFacts, b: MethodFacts): number {
  return a.path < b.path ? -1 : 1
}

interface HandWrittenMethod {
  readonly path: string
  readonly requestStream: boolean
  readonly responseStream: boolean
  readonly options: { readonly idempotencyLevel?: string }
}

const handWritten: readonly (readonly [string, Readonly<Record<string, HandWrittenMethod>>])[] = [
  ['costate.worker.v1.TransferService', transferDefinition],
  ['costate.checkpoint.v1.CheckpointService', checkpointServiceDefinition],
]

test('the generated code has the services of the .proto files, all and no others', () => {
  expect(generated.map(({ fullName }) => fullName as string).sort()).toEqual([...contractServices.keys()].sort())
})

test.each(generated.map((definition) => [definition.fullName, definition] as const))(
  '%s: paths, streams and idempotency of the generated code are those of the .proto file',
  (fullName, { methods }) => {
    const facts = Object.values<GeneratedMethod>(methods).map((method) => ({
      path: `/${fullName}/${method.name}`,
      streams: [method.requestStream, method.responseStream] as const,
      idempotency: method.options.idempotencyLevel ?? 'IDEMPOTENCY_UNKNOWN',
    }))

    expect(facts.sort(byPath)).toEqual(factsOfContract(fullName))
  },
)

test.each(handWritten)('%s: so are those that are written by hand for bulk data', (fullName, definition) => {
  const facts = Object.values(definition).map(({ path, requestStream, responseStream, options }) => ({
    path,
    streams: [requestStream, responseStream] as const,
    idempotency: options.idempotencyLevel ?? 'IDEMPOTENCY_UNKNOWN',
  }))

  expect(facts.sort(byPath)).toEqual(factsOfContract(fullName))
})

test('what only reads says so, and what changes something can be repeated', () => {
  const unary = [...contractServices.values()].flatMap((service) =>
    Object.values(service).filter(({ requestStream }) => !requestStream),
  )
  const levels = new Map<string, string>(
    unary.map(({ path, options }) => [path.split('/').at(-1) ?? '', options.idempotency_level]),
  )

  expect([...levels].filter(([, level]) => level === 'IDEMPOTENCY_UNKNOWN')).toEqual([])
  for (const [name, level] of levels) {
    expect([name, level === 'NO_SIDE_EFFECTS']).toEqual([name, /^(Verify|Explain|Get|List|Find|Wait|Watch)/.test(name)])
  }
})
