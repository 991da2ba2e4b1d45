import fc from 'fast-check'
import { expect, test } from 'vitest'

import { createInlineCheckpoints } from './inline-checkpoints.js'
import { findNearest, labelsWith } from './nearest-checkpoints.js'

async function study(points: Readonly<Record<string, readonly number[]>>) {
  const checkpoints = createInlineCheckpoints()
  for (const [name, parameters] of Object.entries(points)) {
    await checkpoints.save(`studies/s/${name}`, { name }, { parameters, cost: parameters[0] ?? 0 })
  }
  return checkpoints
}

test('the nearest solved points come first, with what was saved of them', async () => {
  const checkpoints = await study({ a: [0.1], b: [0.2], c: [0.5] })
  const near = await checkpoints.nearest('studies/s', [0.19], 2)
  expect(near).toMatchObject([
    { name: 'studies/s/b', parameters: [0.2], cost: 0.2, version: 1 },
    { name: 'studies/s/a', parameters: [0.1] },
  ])
  expect(near[0]?.distance).toBeCloseTo(0.01 / 0.4, 12)
  expect((await checkpoints.load<{ name: string }>(near[0]!.name))?.value).toEqual({ name: 'b' })
})

test('each parameter counts by its range: metres do not outweigh radians', async () => {
  const checkpoints = await study({ far: [1_001, 0.1], near: [1_300, 0.9], edge: [2_000, 0] })
  // In bare numbers `far` is nearest; by their ranges a third of the way in metres is less than nearly all of it in radians.
  expect((await checkpoints.nearest('studies/s', [1_000, 1], 3)).map(({ name }) => name)).toEqual([
    'studies/s/near',
    'studies/s/far',
    'studies/s/edge',
  ])
})

test('of equally near points that with the lesser name comes first, in whatever order they were saved', async () => {
  const checkpoints = await study({ z: [1, 0], b: [0, 1], y: [1, 1], a: [0, 0] })
  expect((await checkpoints.nearest('studies/s', [0.5, 0.5], 4)).map(({ name }) => name.at(-1))).toEqual([
    'a',
    'b',
    'y',
    'z',
  ])
})

test('the newest version of a point counts, other studies and checkpoints without parameters do not', async () => {
  const checkpoints = await study({ a: [1] })
  await checkpoints.save('studies/s/a', 'moved', { parameters: [5] })
  await checkpoints.save('studies/s/notes', 'no point of it')
  await checkpoints.save('studies/s/odd', 'a label of its own', { labels: { parameters: 'fast' } })
  await checkpoints.save('studies/sweep/b', 'of another study', { parameters: [1] })
  expect(await checkpoints.nearest('studies/s', [1], 9)).toMatchObject([{ name: 'studies/s/a', parameters: [5] }])
  expect(await checkpoints.nearest('studies/none', [1], 1)).toEqual([])
})

test.each([
  [[1], 0, 'whole number from 1'],
  [[1], 1.5, 'whole number from 1'],
  [[], 1, 'at least one number'],
  [[Number.NaN], 1, 'finite ones only'],
  [[1, 2], 1, 'have 1 parameters, not 2'],
])('what makes no sense is refused: %j, %d', async (parameters, k, why) => {
  const checkpoints = await study({ a: [1] })
  await expect(checkpoints.nearest('studies/s', parameters, k)).rejects.toThrow(why)
})

test('a save with parameters that are no numbers is refused', async () => {
  const saved = createInlineCheckpoints().save('studies/s/a', 1, { parameters: [Infinity] })
  await expect(saved).rejects.toThrow('finite ones only')
})

test('however points are scaled and shifted, the same ones are nearest', () => {
  const number = fc.integer({ min: -1_000, max: 1_000 })
  const point = fc.tuple(number, number)
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 20 }), point, (points, wanted) => {
      const describe = (parameters: readonly number[], nth: number) => ({
        ...{
          name: `s/${String(nth).padStart(2, '0')}`,
          version: 1,
          byteLength: 0,
          digest: '',
          etag: '',
          savedAt: new Date(0),
        },
        labels: labelsWith({}, parameters),
      })
      const scaled = ([x, y]: readonly [number, number]) => [x * 1_024 + 8, y / 512]
      const names = (all: readonly (readonly number[])[], at: readonly number[]) =>
        findNearest(all.map(describe), at, 3).map(({ name }) => name)
      expect(names(points.map(scaled), scaled(wanted))).toEqual(names(points, wanted))
    }),
  )
})
