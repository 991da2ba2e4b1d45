import * as z from 'zod'

import { parseDurationMs } from '#libs/domain'

const durationMs = (name: string) => z.string().transform((text) => parseDurationMs(text, name))

/** The scheduler's settings. */
export const schedulerConfig = z.object({
  /** The mesh folder: secrets, certificates, addresses. */
  meshDir: z.string(),
  meshName: z.string().default('mesh'),
  /** Off loopback the mesh needs TLS. */
  listenAddress: z.string().default('127.0.0.1:0'),
  /** What others dial, when it is not what is listened on. */
  advertiseAddress: z.string().optional(),
  /** Where health is served in clear text, for probes that cannot speak mutual TLS. */
  healthAddress: z.string().optional(),
  instanceId: z.string().default(() => `scheduler-${process.pid}`),
  /** An attached job whose client is gone longer is cancelled. */
  orphanGrace: durationMs('orphan-grace').prefault('60s'),
})

export type SchedulerConfig = z.output<typeof schedulerConfig>
