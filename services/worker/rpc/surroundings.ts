import type { WorkerHello } from '#libs/proto'

/** What a worker was told of the allocation that it runs in. */
export interface Surroundings {
  readonly allocation?: string | undefined
  readonly slurmJobId: string
  readonly restartCount: number
  readonly endsAt?: number | undefined
}

/** The same for the scheduler. */
export function surroundingsOf(told: Surroundings): Pick<WorkerHello, 'allocation' | 'endsAt'> {
  const [pool = '', allocationId = ''] = told.allocation?.split('/') ?? []
  return {
    allocation: told.allocation
      ? { pool, allocationId, jobId: told.slurmJobId, restarts: told.restartCount }
      : undefined,
    endsAt: told.endsAt === undefined ? undefined : { seconds: BigInt(Math.floor(told.endsAt)), nanos: 0 },
  }
}
