// A process full of workers that speak the worker's protocol on links of their own, and whose executor only echoes. It says
// when all are linked, and lets them leave when its parent disconnects.
import { SchedulerServiceDefinition } from '#libs/proto'
import { waitForAddress } from '#libs/lifecycle'
import { closeRpcChannel, createRpcChannel, createRpcClient, loadSecurity } from '#libs/rpc'

import { openEchoLink } from './echo-link.js'

const [meshDir = '', count = '0'] = process.argv.slice(2)
const security = await loadSecurity(meshDir, 'worker')
const { addresses } = await waitForAddress(meshDir, 'scheduler', AbortSignal.timeout(10_000))

const links = Array.from({ length: Number(count) }, (_, k) => {
  // A connection for each, as for workers in processes of their own.
  const channel = createRpcChannel(addresses, { security, serverRole: 'scheduler', kind: 'control' })
  return { channel, link: openEchoLink(createRpcClient(SchedulerServiceDefinition, channel), `w-${process.pid}-${k}`) }
})
process.on('disconnect', () => {
  void Promise.all(
    links.map(async ({ link, channel }) => {
      await link.leave()
      closeRpcChannel(channel)
    }),
  )
})
await Promise.all(links.map(({ link }) => link.opened))
process.send?.('linked')
