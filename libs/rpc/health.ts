import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'
import type { MethodDefinition, ServiceImplementation } from 'nice-grpc'
import { abortError } from './interruptible.js'
import { rpcError } from './status.js'

/** grpc.health.v1 (grpc/health/v1/health.proto), by hand: the package for it costs 15 ms and protobufjs per process. */
export const healthDefinition = {
  check: healthMethod('/grpc.health.v1.Health/Check', false),
  watch: healthMethod('/grpc.health.v1.Health/Watch', true),
} as const

export interface HealthRequest {
  readonly service: string
}

export interface HealthResponse {
  readonly status: number
}

/** grpc.health.v1.HealthCheckResponse.ServingStatus */
export const SERVING_STATUS = { serving: 1, notServing: 2, serviceUnknown: 3 } as const

/** A name that serves as long as the process answers at all, for liveness probes. */
const livenessService = 'liveness'

/** Whether a path is of the health service, which every role may ask, until the very end. */
export function isHealthPath(path: string): boolean {
  return path.startsWith('/grpc.health.v1.Health/')
}

export interface Health {
  readonly implementation: ServiceImplementation<typeof healthDefinition>
  addService: (name: string) => void
  setServing: (serving: boolean) => void
}

/** Health of the whole server ('') and each of its services, which serve or do not serve together. */
export function createHealth(): Health {
  const services = new Set([''])
  const watchers = new Set<() => void>()
  let serving = false
  const statusOf = (service: string) => {
    // Independent of what the process waits for: a worker without a scheduler is alive, and must not be started again.
    if (service === livenessService) return SERVING_STATUS.serving
    if (!services.has(service)) return SERVING_STATUS.serviceUnknown
    return serving ? SERVING_STATUS.serving : SERVING_STATUS.notServing
  }
  return {
    addService: (name) => services.add(name),
    setServing(now) {
      serving = now
      for (const notify of watchers) notify()
    },
    implementation: {
      async check({ service }) {
        const status = statusOf(service)
        if (status !== SERVING_STATUS.serviceUnknown) return { status }
        throw rpcError('NOT_FOUND', 'UNKNOWN_SERVICE', `This server has no service '${service}'`, {
          metadata: { service },
        })
      },
      async *watch({ service }, { signal }) {
        let wake: () => void = () => undefined
        const notify = () => wake()
        watchers.add(notify)
        signal.addEventListener('abort', notify)
        try {
          for (let last = 0; ;) {
            if (signal.aborted) throw abortError()
            const changed = new Promise<void>((resolve) => (wake = resolve))
            const status = statusOf(service)
            if (status !== last) yield { status: (last = status) }
            else await changed
          }
        } finally {
          watchers.delete(notify)
          signal.removeEventListener('abort', notify)
        }
      },
    },
  }
}

function healthMethod<Stream extends boolean>(
  path: string,
  responseStream: Stream,
): MethodDefinition<HealthRequest, HealthRequest, HealthResponse, HealthResponse, false, Stream> {
  return {
    path,
    requestStream: false,
    responseStream,
    requestSerialize: ({ service }) => new BinaryWriter().uint32(10).string(service).finish(),
    requestDeserialize: (bytes) => ({ service: readField(bytes, 1, '', (reader) => reader.string()) }),
    responseSerialize: ({ status }) => new BinaryWriter().uint32(8).int32(status).finish(),
    responseDeserialize: (bytes) => ({ status: readField(bytes, 1, 0, (reader) => reader.int32()) }),
    options: { idempotencyLevel: 'NO_SIDE_EFFECTS' },
  }
}

function readField<T>(bytes: Uint8Array, wanted: number, absent: T, read: (reader: BinaryReader) => T): T {
  const reader = new BinaryReader(bytes)
  let value = absent
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (field === wanted) value = read(reader)
    else reader.skip(wireType, field)
  }
  return value
}
