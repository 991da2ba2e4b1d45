import type { Demo } from '../demo/demo.js'
import { renderBars } from '../report/bar-picture.js'
import { formatCount } from '../report/format.js'
import { renderLines } from '../report/line-picture.js'
import type { Markup } from '../report/markup.js'
import { checkPrimes, countPrimes, type MapReduceResult, publishedCounts } from './map-reduce.js'

export const mapReduce: Demo<MapReduceResult> = {
  name: 'map-reduce',
  title: 'Map and reduce',
  summary:
    'Primes are counted in segments, each on whichever worker is free, and neighbouring counts are joined on the workers as a tree. Gaps ' +
    'reach across segments, so the order of the joins matters: it is declared, and is the same for any number of workers.',
  source: 'libs/demos/map-reduce/map-reduce.ts',
  compute: countPrimes,
  check: checkPrimes,
  tiles: ({ census, limit, segments }) => [
    ['numbers', formatCount(limit), 'sieved'],
    ['segments', formatCount(segments), 'mapped'],
    ['joins', formatCount(segments - 1), 'on the workers'],
    ['primes', formatCount(census.count), 'found'],
  ],
  pictures: (result) => [drawCounts(result), drawGaps(result)],
}

function drawCounts({ census, limit }: MapReduceResult): Markup {
  const powers = publishedCounts.map((_, k) => 10 ** (k + 1)).filter((power) => power <= limit)
  let sum = 0
  const sums = census.counts.map((own) => (sum += own))
  const low = powers.filter((power) => power < census.ends[0]!)
  const x = [...low, ...census.ends]
  const counts = [...census.belowPowers.slice(0, low.length), ...sums]
  const overGuess = (count: number, at: number): number => (count * Math.log(at)) / at
  return renderLines({
    title: 'How many primes there are',
    caption:
      'The primes below x, as they add up over the segments, over x / ln x: the prime number theorem says that this comes ever closer to 1. The rings are the published counts.',
    x: { name: 'x', scale: 'log' },
    y: { name: 'primes below x, in units of x / ln x', holds: [1] },
    series: [
      { label: 'counted', mark: 'line', color: 0, x, y: counts.map((count, k) => overGuess(count, x[k]!)) },
      {
        label: 'published',
        mark: 'ring',
        color: 3,
        x: powers,
        y: powers.map((at, k) => overGuess(publishedCounts[k]!, at)),
      },
    ],
  })
}

function drawGaps({ census }: MapReduceResult): Markup {
  const bars = Object.entries(census.gaps).map(([gap, value]) => {
    const reference = gap === '2' ? { reference: 8_169 } : {}
    // Only 2 and 3 are one apart.
    const [from, to] = gap === '1' ? [0, 1] : [Number(gap) - 1, Number(gap) + 1]
    return { from, to, value, ...reference }
  })
  return renderBars({
    title: 'How far neighbours are apart',
    caption:
      'Gaps between neighbouring primes below 1,000,000. The ring is the published number of twins, which are two apart.',
    x: { name: 'gap' },
    y: { name: 'how many', scale: 'log' },
    sets: [{ label: 'counted', color: 0, bars }],
  })
}
