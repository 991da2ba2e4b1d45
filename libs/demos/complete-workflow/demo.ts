import type { Demo } from '../demo/demo.js'
import { renderBars, type Bar } from '../report/bar-picture.js'
import { formatCount, formatNumber, formatPercent } from '../report/format.js'
import { type PictureSeries, renderLines } from '../report/line-picture.js'
import type { Markup } from '../report/markup.js'
import {
  checkWorkflow,
  designController,
  firstDesign,
  published,
  riskOf,
  uncertain,
  type WorkflowResult,
} from './complete-workflow.js'
import { nominal, planSteps, runSteps, stepS } from './pendulum.js'

export const completeWorkflow: Demo<WorkflowResult> = {
  name: 'complete-workflow',
  title: 'From a model to a tuned controller',
  summary:
    'A pendulum is to be swung up and held upright. iLQR plans the swing-up and an LQR holds the pendulum; Monte Carlo asks what becomes of the ' +
    'design on plants that differ from the model, polynomial chaos which difference matters, and a search tunes what is still open. ' +
    'Both designs are then compared on the same plants.',
  source: 'libs/demos/complete-workflow/complete-workflow.ts',
  compute: designController,
  check: checkWorkflow,
  tiles: ({ robustness, chaos, tuned, looked, before, after }) => [
    ['plants', formatCount(robustness.n), 'of the Monte Carlo'],
    ['nodes', formatCount(chaos.evaluations), 'of the polynomial chaos'],
    ['gain of the motor', formatPercent(chaos.sobol.total['gain']!), 'of the variance, with interactions'],
    ['gravity', formatPercent(chaos.sobol.total['gravity']!), 'of the variance, with interactions'],
    ['designs', formatCount(looked), 'looked at in tuning'],
    ['feedback', formatNumber(tuned.feedback, 3), `was ${firstDesign.feedback}`],
    ['mean + 2 std', formatNumber(riskOf(after.costs), 4), `was ${formatNumber(riskOf(before.costs), 4)}`],
  ],
  pictures: (result) => [drawPlan(result), drawRuns(result), drawCosts(result), drawSensitivity(result)],
}

const timesOf = (count: number): number[] => Array.from({ length: count }, (_, k) => k * stepS)

function drawPlan({ plan }: WorkflowResult): Markup {
  const column = (k: number): number[] => Array.from({ length: planSteps + 1 }, (_, step) => plan.x[2 * step + k]!)
  return renderLines({
    title: 'The planned swing-up',
    caption:
      'Angle, rate and torque of least cost on the nominal plant; the rings are the published torques, one for each step.',
    x: { name: 'time', unit: 's' },
    y: { name: 'angle, rad; rate, rad/s; torque', unit: 'N m' },
    series: [
      { label: 'angle, rad', mark: 'line', color: 0, x: timesOf(planSteps + 1), y: column(0) },
      { label: 'rate, rad/s', mark: 'line', color: 1, x: timesOf(planSteps + 1), y: column(1) },
      { label: 'torque, N m', mark: 'line', color: 2, x: timesOf(planSteps), y: plan.u },
      { label: 'published torque, N m', mark: 'ring', color: 3, x: timesOf(planSteps), y: published.torques },
    ],
  })
}

function drawRuns({ before, after }: WorkflowResult): Markup {
  const degrees = (angles: Float64Array): Float64Array => angles.map((angle) => (angle * 180) / Math.PI)
  const draw = (all: readonly Float64Array[], label: string, color: number): PictureSeries => ({
    // One line for all: a gap parts one plant from the next.
    ...{ label, color, mark: 'line', x: all.flatMap(() => [...timesOf(runSteps + 1), NaN]) },
    y: all.flatMap((angles) => [...degrees(angles), NaN]),
  })
  return renderLines({
    title: 'A dozen plants under both designs',
    caption:
      'The angle over time on the first plants of the Monte Carlo: 0° hangs, 180° stands on its head. From the dotted line on the regulator has the pendulum.',
    x: { name: 'time', unit: 's' },
    y: { name: 'angle', unit: 'degrees' },
    series: [draw(before.angles, 'first design', 2), draw(after.angles, 'tuned', 0)],
    rules: [{ at: planSteps * stepS, label: 'end of the plan' }],
  })
}

function drawCosts({ before, after }: WorkflowResult): Markup {
  const [low, high] = [Math.min(...before.costs, ...after.costs), quantileOf(before.costs, 0.98)]
  const bins = 48
  const width = (high - low) / bins
  const count = (costs: Float64Array): Bar[] => {
    const counts = new Uint32Array(bins)
    for (const cost of costs) counts[Math.min(bins - 1, Math.floor((cost - low) / width))]!++
    return Array.from(counts, (value, k) => ({ from: low + k * width, to: low + (k + 1) * width, value })).filter(
      ({ value }) => value > 0,
    )
  }
  return renderBars({
    title: 'What the plants cost',
    caption:
      'How many of the plants have which cost, the same plants under both designs. The last bin holds all that cost more.',
    x: { name: 'cost' },
    y: { name: 'plants', scale: 'log' },
    sets: [
      { label: 'first design', color: 2, bars: count(before.costs) },
      { label: 'tuned', color: 0, bars: count(after.costs) },
    ],
  })
}

function drawSensitivity({ robustness, chaos }: WorkflowResult): Markup {
  const samples = robustness.samples ?? new Float64Array(0)
  const count = Math.min(400, samples.length / 4)
  const column = (k: number): number[] => Array.from({ length: count }, (_, i) => samples[4 * i + k]!)
  const { gain, damping } = uncertain
  const gains = Array.from({ length: 81 }, (_, k) => gain.mean + gain.std * (k / 12 - 80 / 24))
  const slice = (gravity: number): number[] =>
    gains.map((at) => chaos.evaluate({ gravity, damping: (damping.low + damping.high) / 2, gain: at }))
  return renderLines({
    title: 'The cost of the first design by the gain of the motor',
    caption:
      'Dots are plants of the Monte Carlo, which differ in gravity and damping too; the curves are the polynomial that polynomial chaos made of the model.',
    x: { name: 'gain of the motor, relative to the nominal one' },
    y: { name: 'cost' },
    series: [
      { label: 'plants', mark: 'dot', color: 1, x: column(3), y: column(0) },
      { label: 'polynomial, nominal gravity', mark: 'line', color: 0, x: gains, y: slice(nominal.gravity) },
      {
        label: 'gravity one std more',
        mark: 'dash',
        color: 4,
        x: gains,
        y: slice(nominal.gravity + uncertain.gravity.std),
      },
    ],
  })
}

function quantileOf(values: Float64Array, share: number): number {
  return values.slice().sort()[Math.floor(share * (values.length - 1))]!
}
