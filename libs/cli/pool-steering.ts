import type { Command } from 'commander'

import type { Pool, ProvisionerServiceDefinition } from '#libs/proto'
import type { RpcClient } from '#libs/rpc'

import { answerTimeoutMs, askProvisioner } from './mesh.js'
import { chooseMesh } from './mesh-choice.js'
import { poolRowOf } from './pool-table.js'
import { report } from './report.js'
import type { Terminal } from './terminal.js'

/** Who asks for a change of a pool, and where the answer goes. */
export interface Steering {
  readonly terminal: Terminal
  readonly command: Command
  readonly mesh: string | undefined
}

/** Changes a pool, and says how it is then. */
export async function steerPool(
  { terminal, command, mesh }: Steering,
  change: (
    provisioner: RpcClient<typeof ProvisionerServiceDefinition>,
    call: { readonly deadline: number },
  ) => Promise<{ readonly pool?: Pool | undefined }>,
): Promise<void> {
  const { pool } = await askProvisioner(await chooseMesh(mesh), (provisioner) =>
    change(provisioner, { deadline: answerTimeoutMs }),
  )
  if (pool === undefined) throw new Error('the provisioner answered without a pool')
  report(terminal, command, poolRowOf(pool), ({ explanation }) => explanation)
}
