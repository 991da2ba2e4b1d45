import { expect, test } from 'vitest'

import { renderBars } from './bar-picture.js'
import { renderLines } from './line-picture.js'
import { renderPixels } from './pixel-picture.js'

const texts = { title: 'A picture', caption: 'What it shows.' }

test('axes are named with their units, and every series is in the legend', () => {
  const { text } = renderLines({
    ...{ ...texts, x: { name: 'time', unit: 's' }, y: { name: 'angle', unit: 'degrees' } },
    series: [
      { label: 'computed', mark: 'line', color: 0, x: [0, 1, 2], y: [0, 10, 5] },
      { label: 'published', mark: 'ring', color: 3, x: [1], y: [10] },
    ],
    rules: [{ at: 1, label: 'kill -9' }],
  })
  for (const said of ['time, s', 'angle, degrees', 'computed', 'published: 1, 10', 'kill -9'])
    expect(text).toContain(said)
})

test('what is no number is not drawn, and breaks its line', () => {
  const { text } = renderLines({
    ...{ ...texts, x: { name: 'x' }, y: { name: 'y', scale: 'log' } },
    series: [
      { label: 'line', mark: 'line', color: 0, x: [1, 2, 3, 4, NaN], y: [1, 10, NaN, 100, 1] },
      { label: 'dots', mark: 'dot', color: 1, x: [1, 2, 3], y: [-1, 0, Infinity] },
    ],
  })
  expect(text).not.toContain('NaN')
  const drawn = text.slice(text.indexOf('class="wide"'), text.indexOf('class="narrow"'))
  expect(/<path class="line line series-0" d="([^"]*)"/.exec(drawn)![1]!.match(/M/g)).toHaveLength(2)
  expect(drawn).not.toContain('<circle')
})

test('without data there are no empty axes', () => {
  const axes = { x: { name: 'x' }, y: { name: 'y' } }
  expect(renderLines({ ...texts, ...axes, series: [] }).text).toContain('no data for this figure')
  expect(renderBars({ ...texts, ...axes, sets: [] }).text).toContain('no data for this figure')
})

test('a bar stands on zero, as high as it counts, with its reference as a ring', () => {
  const bars = [
    { from: 0, to: 1, value: 10, reference: 10 },
    { from: 1, to: 2, value: 5 },
  ]
  const { text } = renderBars({
    ...texts,
    x: { name: 'gap' },
    y: { name: 'how many' },
    sets: [{ label: 'counted', color: 0, bars }],
  })
  const heights = [
    ...text.matchAll(/<rect class="bar series-0" x="[^"]*" y="[^"]*" width="[^"]*" height="([^"]*)"><title>/g),
  ]
  const [ten, five] = heights.map((match) => Number(match[1]))
  expect(five! / ten!).toBeCloseTo(0.5, 3)
  expect(text).toContain('reference: 10')
})

test('pixels lie on their axes, as data, with frames and marks where they belong', () => {
  const { text } = renderPixels({
    ...{ ...texts, x: { name: 'Re c', from: -2, to: 2 }, y: { name: 'Im c', from: -1, to: 1 } },
    ...{ pixels: new Uint8Array(8), width: 4, palette: [[0, 0, 0]], legend: [] },
    frames: [{ x: [-2, 0], y: [-1, 0], color: 2, title: 'a tile' }],
  })
  expect(text).toContain('<image href="data:image/png;base64,')
  for (const said of ['Re c', 'Im c', 'a tile']) expect(text).toContain(said)
})
