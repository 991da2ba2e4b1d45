import type { FailureKind as DomainFailureKind } from '#libs/domain'

import { FailureKind } from './gen/costate/types/v1/failure.js'

const wireKinds: Readonly<Record<DomainFailureKind, FailureKind>> = {
  userError: FailureKind.USER_ERROR,
  workerLost: FailureKind.WORKER_LOST,
  timeout: FailureKind.TIMEOUT,
  cancelled: FailureKind.CANCELLED,
  outOfMemory: FailureKind.OUT_OF_MEMORY,
  bundle: FailureKind.BUNDLE,
  input: FailureKind.INPUT,
  result: FailureKind.RESULT,
}

const domainKinds = new Map(
  Object.entries(wireKinds).map(([domain, wire]) => [wire, domain as DomainFailureKind] as const),
)

/** A class of failure as it travels. */
export function failureKindToWire(kind: DomainFailureKind): FailureKind {
  return wireKinds[kind]
}

/** The class that travelled, or nothing when this side does not know it. */
export function failureKindFromWire(kind: FailureKind): DomainFailureKind | undefined {
  return domainKinds.get(kind)
}
