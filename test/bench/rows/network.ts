import assert from 'node:assert/strict'

import type { Cluster } from 'costate'

import {
  findNetworkObstacle,
  type NetworkLab,
  type NetworkShape,
  startNetworkLab,
} from '../../harness/network/network-lab.js'
import { type NetworkedMesh, startNetworkedMesh } from '../../harness/network/networked-mesh.js'
import { compare } from '../contest.js'
import { type RawTcp, startRawTcp } from '../raw-tcp/raw-tcp.js'
import type { Row, RowContext } from '../row.js'
import { atLeastTimes, atMostTimes } from '../target.js'

/** 64 MB of float64. */
const length = 8_000_000
const bytes = length * Float64Array.BYTES_PER_ELEMENT
const megabytes = bytes / 1e6
const delayed: NetworkShape = { hosts: 1, delayMs: 10 }

async function startLab(shape: NetworkShape): Promise<NetworkLab> {
  const obstacle = await findNetworkObstacle(shape)
  if (obstacle !== undefined) throw new Error(`no network to measure in: ${obstacle}`)
  return await startNetworkLab(shape)
}

/** To or from a worker that is 10 ms away, against one TCP connection of which nobody looks at a byte. */
function farRow(
  name: string,
  side: (cluster: Cluster, context: RowContext) => () => Promise<number>,
  run: (tcp: RawTcp) => Promise<number>,
): Row {
  const peer = 'raw TCP'
  return {
    name,
    unit: 'MB/s',
    target: atLeastTimes(0.7, peer),
    measure: async (context) => {
      await using lab = await startLab(delayed)
      await using tcp = await startRawTcp(lab.inHost(1), lab.addressOf(1), bytes, context.nowMs)
      await using mesh = await startNetworkedMesh(lab, { workersOn: [1] })
      const theirs = { name: peer, run: async () => megabytes / (await run(tcp)) }
      return { cases: [await compare({ warmUps: 1, ours: side(mesh.cluster, context), theirs }, context)] }
    },
  }
}

const scatter = (cluster: Cluster, { nowMs }: RowContext) => {
  const array = Float64Array.from({ length }, (_, k) => k)
  return async () => {
    const startMs = nowMs()
    const object = await cluster.scatter(array)
    const seconds = (nowMs() - startMs) / 1000
    object.release()
    return megabytes / seconds
  }
}

const gather = (cluster: Cluster, { nowMs }: RowContext) => {
  const array = Float64Array.from({ length }, (_, k) => k)
  return async () => {
    const object = await cluster.scatter(array)
    const startMs = nowMs()
    const back = await object.result()
    const seconds = (nowMs() - startMs) / 1000
    assert.equal(back[length - 1], length - 1)
    object.release()
    return megabytes / seconds
  }
}

const workers = 16
/** The client has a host of its own, on such a link too. */
const clientHost = workers + 1
/** 32 MB. */
const broadcastLength = 4_000_000
const program = `
import { connect, main } from 'costate'
main(import.meta, async () => {
  const [scheduler, store, length, count] = process.argv.slice(2)
  const cluster = await connect(scheduler, { checkpointStoreAddress: store })
  const workers = (await cluster.workers()).slice(0, Number(count)).map(({ id }) => id)
  const spread = async (size) => {
    const array = Float64Array.from({ length: size }, (_, k) => k)
    const startMs = performance.now()
    const object = await cluster.scatter(array, { workers, broadcast: true })
    const seconds = (performance.now() - startMs) / 1000
    if (object.workerIds.length !== workers.length) throw new Error('it did not come to all')
    object.release()
    return seconds
  }
  // Opens the connections.
  await spread(50_000)
  console.log(await spread(Number(length)))
  await cluster.close()
})
`

/** Seconds until so many workers have the array. */
async function spread({ runOn, schedulerAddress, storeAddress }: NetworkedMesh, count: number): Promise<number> {
  const words = [schedulerAddress, storeAddress, String(broadcastLength), String(count)]
  const { code, stdout, stderr } = await runOn(clientHost, 'spread.mjs', program, words)
  assert.equal(code, 0, stderr)
  return Number(stdout)
}

const limited: Row = {
  name: 'broadcast-16-100mbit',
  unit: 's',
  target: atMostTimes(1.8, 'to one'),
  measure: async (context) => {
    await using lab = await startLab({ hosts: clientHost, rate: '100mbit' })
    const workersOn = Array.from({ length: workers }, (_, k) => k + 1)
    await using mesh = await startNetworkedMesh(lab, { workersOn })
    const theirs = { name: 'to one', run: () => spread(mesh, 1) }
    return { cases: [await compare({ warmUps: 0, ours: () => spread(mesh, workers), theirs, repeats: 3 }, context)] }
  },
}

export const networkRows: readonly Row[] = [
  farRow('scatter-20ms', scatter, (tcp) => tcp.push()),
  farRow('gather-20ms', gather, (tcp) => tcp.pull()),
  limited,
]
