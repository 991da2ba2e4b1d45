import type { Demo } from '../demo/demo.js'
import { renderBars } from '../report/bar-picture.js'
import { formatCount } from '../report/format.js'
import { renderLines } from '../report/line-picture.js'
import type { Markup } from '../report/markup.js'
import { checkPipeline, type PipelineResult, publishedHistogram, runPipeline } from './pipeline.js'

export const signalPipeline: Demo<PipelineResult> = {
  name: 'pipeline',
  title: 'A pipeline',
  summary:
    'Six stages with a branch and a join: noise, its running sum, its peak beside its second differences, and a report of both. Results go ' +
    'from worker to worker. The first program ends half-way; the second, on a cluster of its own, goes on at the first stage that is missing.',
  source: 'libs/demos/pipeline/pipeline.ts',
  compute: runPipeline,
  check: checkPipeline,
  tiles: ({ report, stages, computed, isKept }) => [
    ['stages', formatCount(stages), 'with a branch and a join'],
    ['first program', formatCount(computed[0]!), 'stages computed'],
    ['second program', formatCount(computed[1]!), isKept ? 'stages computed' : 'stages; inline keeps none'],
    ['values kept', formatCount(report.count), 'of 99,998'],
  ],
  pictures: (result) => [drawWalk(result), drawHistogram(result)],
}

function drawWalk({ report: { shown, stride, peak } }: PipelineResult): Markup {
  return renderLines({
    title: 'The signal after the second stage',
    caption: `The running sum of 100,000 normal numbers, every ${stride}th value of it; the branch that looks for its peak found it at step ${peak.index}.`,
    x: { name: 'step' },
    y: { name: 'running sum', unit: 'standard deviations of the noise' },
    series: [
      { label: 'running sum', mark: 'line', color: 0, x: shown.map((_, k) => k * stride), y: shown },
      { label: 'its peak', mark: 'dot', color: 2, x: [peak.index], y: [peak.height] },
      { label: 'published end', mark: 'ring', color: 3, x: [99_999], y: [-469.4028008077623] },
    ],
  })
}

function drawHistogram({ report: { histogram } }: PipelineResult): Markup {
  const bars = Object.entries(histogram).map(([bin, value]) => {
    const from = Number(bin)
    const reference = publishedHistogram[bin]
    return { from, to: from + 1, value, ...(reference !== undefined && { reference }) }
  })
  return renderBars({
    title: 'What the last stage counts',
    caption:
      'Second differences of the signal above 1 in size, by their value. The axis is logarithmic; the rings are the published counts.',
    x: { name: 'second difference', unit: 'standard deviations of the noise' },
    y: { name: 'how many', scale: 'log' },
    sets: [{ label: 'counted', color: 0, bars }],
  })
}
