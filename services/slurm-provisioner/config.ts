// The light variant: a service starts sooner by 10 ms of processor time.
import * as z from 'zod/mini'

import { parseDurationMs } from '#libs/domain'

const addressList = z.pipe(
  z.string(),
  z.transform((text) => text.split(',')),
)
const duration = (name: string) =>
  z.pipe(
    z.string(),
    z.transform((text: string) => parseDurationMs(text, name)),
  )

/** The provisioner's settings. */
export const provisionerConfig = z.object({
  /** The mesh folder: secrets, certificates, addresses. The nodes must see it under the same path. */
  meshDir: z.string(),
  /** Off loopback the mesh needs TLS. */
  listenAddress: z._default(z.string(), '127.0.0.1:0'),
  /** What others dial, when it is not what is listened on. */
  advertiseAddress: z.optional(z.string()),
  /** Where health is served in clear text, for probes that cannot speak mutual TLS. */
  healthAddress: z.optional(z.string()),
  instanceId: z._default(z.string(), () => `slurm-provisioner-${process.pid}`),
  /** The pools as YAML or JSON; without it there is one, `default`, as the cluster's defaults make it. */
  poolsFile: z.optional(z.string()),
  /** Where jobs write their output; `slurm/logs` in the mesh folder unless given. */
  logDir: z.optional(z.string()),
  /** Where workers write traces. */
  runDir: z.optional(z.string()),
  /** Where the journal lies; `data/slurm-provisioner` in the mesh folder unless given. A local disk: no NFS, no Lustre. */
  dataDir: z.optional(z.string()),
  /** Use a data folder on a shared file system all the same. */
  forceDataDir: z._default(z.stringbool(), false),
  /** How often SLURM's queue is looked at; submits and cancels happen at most once in that time. */
  pollInterval: z.prefault(duration('poll-interval'), '10s'),
  /** A command of SLURM that does not answer for so long is ended. */
  commandTimeout: z.prefault(duration('command-timeout'), '30s'),
  /** Whether jobs go on when the provisioner is told to stop, or are cancelled. */
  onStop: z._default(z.enum(['keep', 'cancel']), 'keep'),
  /** Take over from a provisioner of the same mesh that may be alive. */
  takeOver: z._default(z.stringbool(), false),
  /** Where to dial, here and on the nodes (host:port, comma-separated); by default the mesh folder says. */
  schedulerAddress: z.optional(addressList),
  checkpointStoreAddress: z.optional(addressList),
})

export type ProvisionerConfig = z.output<typeof provisionerConfig>
