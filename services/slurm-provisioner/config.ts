import * as z from 'zod'

const addressList = z.string().transform((text) => text.split(','))

/** The provisioner's settings. */
export const provisionerConfig = z.object({
  /** The mesh folder: secrets, certificates, addresses. The nodes must see it under the same path. */
  meshDir: z.string(),
  /** Off loopback the mesh needs TLS. */
  listenAddress: z.string().default('127.0.0.1:0'),
  /** What others dial, when it is not what is listened on. */
  advertiseAddress: z.string().optional(),
  /** Where health is served in clear text, for probes that cannot speak mutual TLS. */
  healthAddress: z.string().optional(),
  instanceId: z.string().default(() => `slurm-provisioner-${process.pid}`),
  /** The pools as JSON; without it there is one, `default`, as the cluster's defaults make it. */
  poolsFile: z.string().optional(),
  /** Where jobs write their output; `slurm` in the mesh folder unless given. */
  logDir: z.string().optional(),
  /** Where workers write traces. */
  runDir: z.string().optional(),
  /** Where to dial, here and on the nodes (host:port, comma-separated); by default the mesh folder says. */
  schedulerAddress: addressList.optional(),
  checkpointStoreAddress: addressList.optional(),
})

export type ProvisionerConfig = z.output<typeof provisionerConfig>
