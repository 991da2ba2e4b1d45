import type { Demo } from '../demo/demo.js'
import { formatCount, formatDuration } from '../report/format.js'
import { renderFigure } from '../report/figure.js'
import { renderLines } from '../report/line-picture.js'
import type { Markup } from '../report/markup.js'
import { drawTimeline } from '../report/timeline.js'
import {
  checkPeriods,
  type LocalClusterResult,
  publishedAmplitudes,
  publishedPeriods,
  useLocalCluster,
} from './local-cluster.js'

export const localCluster: Demo<LocalClusterResult> = {
  name: 'local-cluster',
  title: 'A local cluster',
  summary:
    'A program starts a cluster on this machine, looks at its workers, submits one task and many, lets a task take the results of others, ' +
    'asks for one more worker, and puts an array into the workers’ memory. The tasks integrate a pendulum: how long a swing takes, by its amplitude.',
  source: 'libs/demos/local-cluster/local-cluster.ts',
  compute: useLocalCluster,
  check: checkPeriods,
  tiles: ({ workers, workersAfter, curve, parts }) => [
    ['workers', formatCount(workers.length), `${workersAfter.length} after scaling`],
    ['amplitudes', formatCount(curve.amplitudes.length), 'on the curve'],
    ['tasks', formatCount(parts.length), 'one a part of the array'],
    ['their time', formatDuration(sum(parts.map(lengthOf))), 'all tasks added'],
  ],
  pictures: (result) => [drawCurve(result), drawParts(result)],
}

function drawCurve({ curve, found }: LocalClusterResult): Markup {
  return renderLines({
    title: 'Period against amplitude',
    caption:
      'A pendulum with θ″ = −sin θ. For small swings the period is 2π; towards 180°, where the pendulum stands on its head, it grows without limit. Time is in units of √(l/g).',
    x: { name: 'amplitude', unit: 'degrees' },
    y: { name: 'period', unit: '√(l/g)', holds: [6] },
    series: [
      { label: 'computed in parts', mark: 'line', color: 0, x: curve.amplitudes, y: curve.periods },
      { label: 'computed one by one', mark: 'dot', color: 2, x: publishedAmplitudes, y: found },
      { label: 'published', mark: 'ring', color: 3, x: publishedAmplitudes, y: publishedPeriods },
    ],
  })
}

function drawParts({ parts, workersAfter }: LocalClusterResult): Markup {
  const begin = Math.min(...parts.map(({ startedAtMs }) => startedAtMs))
  const end = Math.max(...parts.map(({ endedAtMs }) => endedAtMs))
  const lanes = workersAfter.map(({ id }) => ({
    name: id,
    blocks: parts.flatMap((part, k) => {
      if (part.workerId !== id) return []
      const title = `part ${k + 1} of ${parts.length}: ${formatDuration(lengthOf(part))}`
      return [{ fromMs: part.startedAtMs - begin, toMs: part.endedAtMs - begin, style: 'series-0', title }]
    }),
  }))
  return renderFigure({
    title: 'Who computed the curve',
    caption:
      'One lane per worker, one block per part of the array. Later parts have larger amplitudes and take longer.',
    isEmpty: parts.length === 0,
    content: drawTimeline({ lanes, durationMs: end - begin }),
  })
}

function lengthOf({ startedAtMs, endedAtMs }: LocalClusterResult['parts'][number]): number {
  return endedAtMs - startedAtMs
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
