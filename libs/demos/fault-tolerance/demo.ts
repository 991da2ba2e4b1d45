import type { Demo } from '../demo/demo.js'
import { renderFigure } from '../report/figure.js'
import { formatCount, formatDuration } from '../report/format.js'
import { drawLegend } from '../report/chart/legend.js'
import { type PictureSeries, renderLines } from '../report/line-picture.js'
import { markup, type Markup } from '../report/markup.js'
import { drawTimeline } from '../report/timeline.js'
import { checkSurvival, type FaultToleranceResult, surviveKill, type Tested } from './fault-tolerance.js'

export const faultTolerance: Demo<FaultToleranceResult> = {
  name: 'fault-tolerance',
  title: 'Fault tolerance',
  summary:
    'While two workers search for Mersenne primes, one of them is killed (kill -9) in the middle of a task. Its task goes on elsewhere ' +
    'from the last checkpoint, a new worker takes the place of the old one, and the answers are those of a run in which nothing happened. ' +
    'Where no process can be started there is no worker to kill: an attempt breaks instead.',
  source: 'libs/demos/fault-tolerance/fault-tolerance.ts',
  compute: surviveKill,
  check: checkSurvival,
  tiles: ({ tested, kill, startedAtMs, endedAtMs }) => [
    ['candidates', formatCount(tested.length), 'one task each'],
    ['Mersenne primes', formatCount(tested.filter(({ isPrime }) => isPrime).length), 'among them'],
    ['workers killed', formatCount(kill ? 1 : 0), kill ? `process ${kill.pid}` : 'inline: an attempt broke'],
    ['went on', formatCount(interrupted(tested).length), 'from a checkpoint'],
    ['wall time', formatDuration(endedAtMs - startedAtMs), 'submit to result'],
  ],
  pictures: (result) => [drawAttempts(result), drawProcesses(result)],
}

function interrupted(tested: readonly Tested[]): Tested[] {
  return tested.filter(({ legs }) => legs.length > 1)
}

/** The interrupted task, or tasks, and what it did in which attempt. */
function drawAttempts({ tested, kill, startedAtMs }: FaultToleranceResult): Markup {
  const shown = interrupted(tested)
  const seconds = (atMs: number): number => (atMs - startedAtMs) / 1_000
  const series = shown.flatMap(({ p, legs }) =>
    legs.map(({ attempt, pid, from, to, fromMs, toMs }): PictureSeries => ({
      ...{ label: `p = ${p}, attempt ${attempt}, process ${pid}`, mark: 'line', color: attempt === 1 ? 2 : 0 },
      ...{ x: [seconds(fromMs), seconds(toMs)], y: [from, to] },
    })),
  )
  return renderLines({
    title: 'The task that was interrupted',
    caption:
      'Iterations that are done and safe. The second attempt begins where the last checkpoint of the first one was, not at zero.',
    x: { name: 'time since submit', unit: 's', holds: [0] },
    y: { name: 'iterations', holds: [0] },
    series,
    rules: kill ? [{ at: seconds(kill.atMs), label: `kill -9 ${kill.pid}` }] : [],
  })
}

function drawProcesses({ tested, kill, startedAtMs, endedAtMs }: FaultToleranceResult): Markup {
  const pids = [...new Set(tested.flatMap(({ legs }) => legs.map(({ pid }) => pid)))]
  const lanes = pids.map((pid) => ({
    name: `process ${pid}`,
    blocks: tested.flatMap(({ p, isPrime, legs }) =>
      legs.flatMap((leg, k) => {
        if (leg.pid !== pid) return []
        const isBroken = k < legs.length - 1
        const title = `p = ${p}, attempt ${leg.attempt}: iterations ${leg.from} to ${leg.to}`
        const style = isBroken ? 'bad' : leg.attempt > 1 ? 'series-2' : isPrime ? 'series-3' : 'series-0'
        return [{ fromMs: leg.fromMs - startedAtMs, toMs: leg.toMs - startedAtMs, style, title }]
      }),
    ),
  }))
  const moments = kill ? [{ atMs: kill.atMs - startedAtMs, label: 'kill -9' }] : []
  const legend = drawLegend([
    { symbol: 'block', style: 'task series-0', label: 'no prime' },
    { symbol: 'block', style: 'task series-3', label: 'a Mersenne prime' },
    { symbol: 'block', style: 'task bad', label: 'attempt that broke off, up to its last checkpoint' },
    { symbol: 'block', style: 'task series-2', label: 'attempt that went on' },
  ])
  return renderFigure({
    title: 'Which process did what',
    caption:
      'One lane per process, one block per attempt. A process that was started in place of the one that was killed has a lane of its own.',
    isEmpty: pids.length === 0,
    content: markup`${legend}${drawTimeline({ lanes, durationMs: endedAtMs - startedAtMs, moments })}`,
  })
}
