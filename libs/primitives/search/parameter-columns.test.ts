import { expect, test } from 'vitest'

import { columnOf, parametersOfRow } from './parameter-columns.js'
import { ParameterSpace } from './parameter-space.js'

test.each<[string, readonly unknown[], unknown]>([
  ['whole numbers', [1, -3, 2 ** 31 - 1], Int32Array],
  ['a number beyond 32 bits', [1, 2 ** 31], Float64Array],
  ['a negative zero', [1, -0], Float64Array],
  ['fractions and no numbers', [0.1, NaN, Infinity, 1], Float64Array],
  ['words', ['relu', 'tanh'], Array],
  ['of several kinds', [1, 'one', { layers: [3, 4] }, null], Array],
])('a column of %s gives each value back as it was', (_, values, kind) => {
  const column = columnOf(values)
  expect(column).toBeInstanceOf(kind)
  for (const [row, value] of values.entries()) {
    expect(parametersOfRow({ names: ['x'], columns: [column] }, row)['x']).toBe(value)
  }
})

test('a row of the columns of points is what the space says of the point, in the order of its ranges', () => {
  const space = new ParameterSpace({
    rate: { low: 1e-4, high: 1e-1, scale: 'log' },
    hidden: { low: 32, high: 256, integer: true },
    kind: { values: ['relu', 'tanh', undefined] },
    shape: { values: [[1], [2, 3]] },
  })
  // The last one lies outside the cube.
  const points = [0, 0.3, 0.7, 1, 1.2].map((u) => new Float64Array(space.dimension).fill(u))
  const columns = space.columnsAt(points)
  for (const [row, point] of points.entries()) {
    const parameters = parametersOfRow(columns, row)
    expect(parameters).toEqual(space.parametersAt(point))
    expect(Object.keys(parameters)).toEqual(['rate', 'hidden', 'kind', 'shape'])
  }
})
