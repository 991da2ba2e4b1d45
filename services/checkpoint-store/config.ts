import * as z from 'zod'

import { parseBytes } from '#libs/domain'

/** The checkpoint-store's settings. */
export const checkpointStoreConfig = z.object({
  /** The mesh folder: secrets, certificates, addresses. */
  meshDir: z.string(),
  /** Where blobs and catalogue lie; `checkpoints` in the mesh folder unless given. */
  dataDir: z.string().optional(),
  /** Off loopback the mesh needs TLS. */
  listenAddress: z.string().default('127.0.0.1:0'),
  /** What others dial, when it is not what is listened on. */
  advertiseAddress: z.string().optional(),
  /** Where health is served in clear text, for probes that cannot speak mutual TLS. */
  healthAddress: z.string().optional(),
  instanceId: z.string().default(() => `checkpoint-store-${process.pid}`),
  /** How much all blobs together may take, such as 40GB; no limit unless given. */
  maxDiskBytes: z
    .string()
    .transform((text) => parseBytes(text, 'max-disk-bytes'))
    .optional(),
  /** How many versions of each checkpoint are kept. */
  keepVersions: z.coerce.number().int().min(1).max(10_000).default(3),
})

export type CheckpointStoreConfig = z.output<typeof checkpointStoreConfig>
