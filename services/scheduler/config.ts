// The light variant: a service starts sooner by 10 ms of processor time.
import * as z from 'zod/mini'

import { parseBytes, parseDurationMs } from '#libs/domain'

const durationMs = (name: string) =>
  z.pipe(
    z.string(),
    z.transform((text: string) => parseDurationMs(text, name)),
  )

/** The scheduler's settings. */
export const schedulerConfig = z.object({
  /** The mesh folder: secrets, certificates, addresses. */
  meshDir: z.string(),
  meshName: z._default(z.string(), 'mesh'),
  /** Off loopback the mesh needs TLS. */
  listenAddress: z._default(z.string(), '127.0.0.1:0'),
  /** What others dial, when it is not what is listened on. */
  advertiseAddress: z.optional(z.string()),
  /** Where health is served in clear text, for probes that cannot speak mutual TLS. */
  healthAddress: z.optional(z.string()),
  instanceId: z._default(z.string(), () => `scheduler-${process.pid}`),
  /** Where the journal lies; `data/scheduler` in the mesh folder unless given. A local disk: no NFS, no Lustre. */
  dataDir: z.optional(z.string()),
  /** What keeps the facts that a restart must know: an embedded store, or nothing but memory. */
  journal: z._default(z.enum(['level', 'memory']), 'level'),
  /** Use a data folder on a shared file system all the same. */
  forceDataDir: z._default(z.stringbool(), false),
  /** How long results are kept that nobody holds, and records of the jobs that they belong to. */
  resultTtl: z.prefault(durationMs('result-ttl'), '24h'),
  historyTtl: z.prefault(durationMs('history-ttl'), '30d'),
  /** How many settled jobs keep their results, and how much these and their arguments may take. */
  maxSettledJobs: z._default(z.coerce.number().check(z.int(), z.gte(0)), 1_000),
  maxSettledBytes: z.prefault(
    z.pipe(
      z.string(),
      z.transform((text: string) => parseBytes(text, 'max-settled-bytes')),
    ),
    '256MiB',
  ),
  /** How many records are kept. */
  maxJobRecords: z._default(z.coerce.number().check(z.int(), z.gte(0)), 10_000),
  /** An attached job whose client is gone longer is cancelled. */
  orphanGrace: z.prefault(durationMs('orphan-grace'), '60s'),
  /** A task fails that waits longer for what none of the workers there can ever offer; 0 for never. */
  unschedulableAfter: z.prefault(durationMs('unschedulable-after'), '10min'),
  /** No job is taken that would make more unsettled tasks than this. */
  maxUnsettledTasks: z._default(z.coerce.number().check(z.int(), z.gte(1)), 5_000_000),
  /** No job is taken with which the specs of all unsettled tasks would take more than this, such as 2GiB. */
  maxUnsettledBytes: z.prefault(
    z.pipe(
      z.string(),
      z.transform((text: string) => parseBytes(text, 'max-unsettled-bytes')),
    ),
    '2GiB',
  ),
  /**
   * Which large results are brought to the checkpoint-store when no task waits for them: those of jobs that nobody may be there
   * for (`detached`, and pinned ones), of all jobs from this size on (such as 1MB), or none.
   */
  durableResults: z.prefault(
    z.pipe(
      z.string(),
      z.transform((text: string) =>
        text === 'detached' || text === 'none' ? text : parseBytes(text, 'durable-results'),
      ),
    ),
    'detached',
  ),
  /** So many levels of tasks may submit tasks; a recursion that has no end ends there. */
  maxJobDepth: z._default(z.coerce.number().check(z.int(), z.gte(0)), 1_000),
})

export type SchedulerConfig = z.output<typeof schedulerConfig>
