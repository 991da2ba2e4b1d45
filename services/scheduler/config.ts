// The light variant: a service starts sooner by 10 ms of processor time.
import * as z from 'zod/mini'

import { parseDurationMs } from '#libs/domain'

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
  /** An attached job whose client is gone longer is cancelled. */
  orphanGrace: z.prefault(durationMs('orphan-grace'), '60s'),
})

export type SchedulerConfig = z.output<typeof schedulerConfig>
