import { afterEach, expect, test } from 'vitest'

import {
  findNetworkObstacle,
  type NetworkLab,
  type NetworkShape,
  startNetworkLab,
} from '../harness/network/network-lab.js'
import { type NetworkedMesh, startNetworkedMesh } from '../harness/network/networked-mesh.js'

const obstacle = await findNetworkObstacle()
if (obstacle !== undefined) {
  const line = '!'.repeat(110)
  process.stderr.write(`\n${line}\nTESTS ACROSS A NETWORK ARE LEFT OUT: ${obstacle}\n${line}\n\n`)
}

const tasks = `
import { task } from 'costate'
export const ramp = task(import.meta, 'ramp', (n) => Float64Array.from({ length: n }, (_, k) => k))
export const sum = task(import.meta, 'sum', (xs) => xs.reduce((a, b) => a + b, 0))
`

/** Scatters, computes with what it scattered, and gathers a result; prints what it found. */
const program = `
import { connect, main } from 'costate'
import { ramp, sum } from './tasks.mjs'
main(import.meta, async () => {
  const [scheduler, store, length] = process.argv.slice(2)
  const cluster = await connect(scheduler, { checkpointStoreAddress: store })
  const scattered = await cluster.scatter(Float64Array.from({ length: Number(length) }, (_, k) => k))
  const everywhere = await cluster.scatter(Float64Array.from({ length: Number(length) }, (_, k) => 2 * k), { broadcast: true })
  const sums = await cluster.gather([cluster.submit(sum, scattered), cluster.submit(sum, everywhere)])
  const made = await cluster.submit(ramp, Number(length)).result()
  const back = await scattered.result()
  console.log(JSON.stringify({ sums, made: made.at(-1), back: back.at(-1) }))
  await cluster.close()
})
`

const length = 200_000
const total = (length * (length - 1)) / 2

let lab: NetworkLab | undefined
let mesh: NetworkedMesh | undefined

afterEach(async () => {
  await mesh?.[Symbol.asyncDispose]()
  await lab?.[Symbol.asyncDispose]()
  mesh = lab = undefined
})

async function start(shape: NetworkShape, workersOn: readonly number[]): Promise<NetworkedMesh> {
  lab = await startNetworkLab(shape)
  mesh = await startNetworkedMesh(lab, { workersOn })
  await mesh.importModule('tasks.mjs', tasks)
  return mesh
}

test.skipIf(obstacle !== undefined)(
  'who reaches only the host of the scheduler scatters and gathers all the same',
  async () => {
    const { runOn, schedulerAddress, storeAddress } = await start({ hosts: 3, isIsolated: true }, [2, 3])
    const words = [schedulerAddress, storeAddress, `${length}`]
    const { code, stdout, stderr } = await runOn(1, 'program.mjs', program, words)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({ sums: [total, 2 * total], made: length - 1, back: length - 1 })
  },
  240_000,
)

test.skipIf(obstacle !== undefined)(
  'workers on hosts of a network pass a broadcast on',
  async () => {
    const { cluster, importModule } = await start({ hosts: 3 }, [1, 2, 3])
    const { sum } = await importModule<{ sum: never }>('tasks.mjs', tasks)
    const object = await cluster.scatter(
      Float64Array.from({ length }, (_, k) => k),
      { broadcast: true },
    )
    expect(object.workerIds).toHaveLength(3)
    const sums = object.workerIds.map((id) => cluster.with({ workers: [id] }).submit<[unknown], number>(sum, object))
    expect(await cluster.gather(sums)).toEqual([total, total, total])
  },
  240_000,
)
