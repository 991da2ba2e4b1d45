// The light variant: a service starts sooner by 10 ms of processor time.
import * as z from 'zod/mini'

import { parseBytes, parseDurationMs } from '#libs/domain'

const duration = (name: string) =>
  z.pipe(
    z.string(),
    z.transform((text: string) => parseDurationMs(text, name)),
  )

/** The checkpoint-store's settings. */
export const checkpointStoreConfig = z.object({
  /** The mesh folder: secrets, certificates, addresses. */
  meshDir: z.string(),
  /** Where blobs and catalogue lie; `checkpoints` in the mesh folder unless given. */
  dataDir: z.optional(z.string()),
  /** Off loopback the mesh needs TLS. */
  listenAddress: z._default(z.string(), '127.0.0.1:0'),
  /** What others dial, when it is not what is listened on. */
  advertiseAddress: z.optional(z.string()),
  /** Where health is served in clear text, for probes that cannot speak mutual TLS. */
  healthAddress: z.optional(z.string()),
  instanceId: z._default(z.string(), () => `checkpoint-store-${process.pid}`),
  /** How much all blobs together may take, such as 40GB; no limit unless given. */
  maxDiskBytes: z.optional(
    z.pipe(
      z.string(),
      z.transform((text) => parseBytes(text, 'max-disk-bytes')),
    ),
  ),
  /** Whether chunks that become shorter by that are compressed on disk. */
  compress: z._default(z.enum(['off', 'auto']), 'off'),
  /** How many versions of each checkpoint are kept. */
  keepVersions: z._default(z.coerce.number().check(z.int(), z.gte(1), z.lte(10_000)), 3),
  /** Versions younger than this are kept too. */
  keepFor: z._default(duration('keep-for'), 0),
  /** So are versions with one of these labels, comma-separated. */
  keepLabels: z._default(
    z.pipe(
      z.string(),
      z.transform((text: string) => text.split(',').map((label) => label.trim())),
    ),
    ['keep'],
  ),
  /** The checkpoints of tasks go so long after the last save. */
  keepJobs: z._default(duration('keep-jobs'), 30 * 86_400_000),
  /** Blobs that are kept for somebody, results mostly, go so long after the last use, should he not say that he needs them no more. */
  keepResults: z._default(duration('keep-results'), 30 * 86_400_000),
  /** For tests: where the process kills itself (`storage/failpoint.ts`). */
  failpoint: z.optional(z.string()),
})

export type CheckpointStoreConfig = z.output<typeof checkpointStoreConfig>
