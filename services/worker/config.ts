import * as z from 'zod'

import { parseBytes, parseDurationMs } from '#libs/domain'

const addressList = z.string().transform((text) => text.split(','))

/** The worker's settings. */
export const workerConfig = z.object({
  /** The mesh folder: secrets, certificates, addresses. */
  meshDir: z.string(),
  /** How many tasks run at once, each in a thread of its own. */
  slots: z.coerce.number().int().min(0).max(4096).default(1),
  /** How many workers the supervisor keeps. */
  count: z.coerce.number().int().min(1).max(256).default(1),
  /** Resident memory of one worker; its supervisor ends it at 95 % of it. 0 for no limit. */
  memoryLimit: z
    .string()
    .transform((text) => parseBytes(text, 'memory-limit'))
    .prefault('0'),
  listenAddress: z.string().default('127.0.0.1:0'),
  /** What others dial, when it is not what is listened on. */
  advertiseAddress: z.string().optional(),
  /** Where health is served in clear text, for probes that cannot speak mutual TLS. */
  healthAddress: z.string().optional(),
  /** Where the scheduler and the checkpoint-store listen (host:port, comma-separated); by default the mesh folder says. */
  schedulerAddress: addressList.optional(),
  checkpointStoreAddress: addressList.optional(),
  /** Where bundles are unpacked. */
  cacheDir: z.string().optional(),
  /** A worker that reaches no scheduler for so long ends. */
  deathTimeout: z
    .string()
    .transform((text) => parseDurationMs(text, 'death-timeout'))
    .prefault('60s'),
})

export type WorkerConfig = z.output<typeof workerConfig>
