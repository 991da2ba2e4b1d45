// The light variant: a service starts sooner by 10 ms of processor time.
import * as z from 'zod/mini'

const addressList = z.pipe(
  z.string(),
  z.transform((text) => text.split(',')),
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
  /** The pools as JSON; without it there is one, `default`, as the cluster's defaults make it. */
  poolsFile: z.optional(z.string()),
  /** Where jobs write their output; `slurm` in the mesh folder unless given. */
  logDir: z.optional(z.string()),
  /** Where workers write traces. */
  runDir: z.optional(z.string()),
  /** Where to dial, here and on the nodes (host:port, comma-separated); by default the mesh folder says. */
  schedulerAddress: z.optional(addressList),
  checkpointStoreAddress: z.optional(addressList),
})

export type ProvisionerConfig = z.output<typeof provisionerConfig>
