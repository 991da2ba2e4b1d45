import { createSlurmCluster, main, task } from 'costate'

export const pi = task(import.meta, 'pi', async (samples, ctx) => {
  let inside = 0
  for (let i = 0; i < samples; i++) inside += ctx.rng.uniform() ** 2 + ctx.rng.uniform() ** 2 < 1 ? 1 : 0
  return (4 * inside) / samples
})

main(import.meta, async () => {
  const cluster = await createSlurmCluster({ cores: 1, memory: '1GB', walltime: '10min' })
  cluster.adapt({ minimum: 0, maximum: 4 })
  const estimates = await cluster.gather(
    cluster.map(
      pi,
      Array.from({ length: 40 }, () => 1_000_000),
    ),
  )
  console.log(estimates.reduce((sum, estimate) => sum + estimate, 0) / estimates.length)
  await cluster.close()
})
