import { expect, test } from 'vitest'

import { type ColumnKind, columnOf, packRows, parametersOfRow, unpackRows } from './parameter-columns.js'
import { ParameterSpace } from './parameter-space.js'

test.each<[string, readonly unknown[], ColumnKind]>([
  ['whole numbers', [1, -3, 2 ** 31 - 1], 'int32'],
  ['a number beyond 32 bits', [1, 2 ** 31], 'float64'],
  ['a negative zero', [1, -0], 'float64'],
  ['fractions and no numbers', [0.1, NaN, Infinity, 1], 'float64'],
  ['words', ['relu', 'tanh'], 'values'],
  ['of several kinds', [1, 'one', { layers: [3, 4] }, null], 'values'],
])('a column of %s between others gives each value back as it was', (_, values, kind) => {
  const columns = [values.map((_, row) => row / 2), values, values.map((_, row) => row), values.map(String)]
  const table = { names: ['half', 'x', 'row', 'text'], columns: columns.map(columnOf) }
  const backwards = [...values.keys()].reverse()

  const packed = packRows(table, backwards)

  expect(packed.kinds).toEqual(['float64', kind, 'int32', 'values'])
  const arrived = unpackRows(packed)
  for (const [at, row] of backwards.entries()) {
    const parameters = parametersOfRow(arrived, at)
    expect(parameters).toEqual({ half: row / 2, x: values[row], row, text: String(values[row]) })
    expect(parameters['x']).toBe(values[row])
  }
})

test('whole numbers are whole where they arrive', () => {
  const { columns } = unpackRows(packRows({ names: ['n'], columns: [columnOf([3, 4])] }, [1, 0]))
  expect(columns).toEqual([Int32Array.of(4, 3)])
})

test.each([[7], [NaN], [-0], ['relu'], [undefined]])('a value %j that is the same for all travels once', (value) => {
  const packed = packRows({ names: ['x', 'y'], columns: [columnOf([value, value]), columnOf([1, 2])] }, [0, 1])
  expect(packed).toMatchObject({ kinds: ['same', 'int32'], numbers: Float64Array.of(1, 2), values: [value] })
  const table = unpackRows(packed)
  expect([0, 1].map((row) => parametersOfRow(table, row))).toEqual([
    { x: value, y: 1 },
    { x: value, y: 2 },
  ])
})

test('0 and −0 are not the same', () => {
  const table = unpackRows(packRows({ names: ['x'], columns: [columnOf([0, -0])] }, [0, 1]))
  expect([0, 1].map((row) => parametersOfRow(table, row)['x'])).toEqual([0, -0])
})

test('parameters without a number among them', () => {
  const table = { names: ['kind'], columns: [columnOf(['relu', 'tanh'])] }
  expect(parametersOfRow(unpackRows(packRows(table, [1])), 0)).toEqual({ kind: 'tanh' })
})

test('the table of points has the ranges in their order, and values of each kind', () => {
  const space = new ParameterSpace({
    rate: { low: 0, high: 4 },
    hidden: { low: 32, high: 256, integer: true },
    kind: { values: ['relu', 'tanh', undefined] },
    shape: { values: [[1], [2, 3]] },
    steps: { values: [10, 20] },
  })

  const table = space.tableOf([0, 0.3, 1].map((u) => new Float64Array(space.dimension).fill(u)))

  const parameters = [0, 1, 2].map((row) => parametersOfRow(table, row))
  expect(parameters).toEqual([
    { rate: 0, hidden: 32, kind: 'relu', shape: [1], steps: 10 },
    { rate: 1.2, hidden: 99, kind: 'relu', shape: [1], steps: 10 },
    { rate: 4, hidden: 256, kind: undefined, shape: [2, 3], steps: 20 },
  ])
  expect(Object.keys(parameters[0]!)).toEqual(['rate', 'hidden', 'kind', 'shape', 'steps'])
  expect(packRows(table, [0, 1, 2]).kinds).toEqual(['float64', 'int32', 'values', 'values', 'int32'])
})
