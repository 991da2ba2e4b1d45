import { setImmediate, setTimeout } from 'node:timers/promises'

import { asCompleted, task, type Cluster, type Job, type TaskContext } from 'costate'

import { checkEach, checkSame, type Check } from '../demo/check.js'
import type { Setting } from '../demo/demo.js'

/** Is 2^p - 1 prime? */
export interface Candidate {
  readonly p: number
  /** What becomes of its first attempt half-way. */
  readonly fate?: 'killed' | 'broken'
}

/** What one attempt did. */
export interface Leg {
  readonly attempt: number
  /** The process that it ran in. */
  readonly pid: number
  readonly from: number
  readonly to: number
  /** By the clock of its machine; epoch ms. */
  readonly fromMs: number
  readonly toMs: number
}

interface Progress {
  readonly iteration: number
  readonly value: bigint
  readonly residues: Readonly<Record<string, string>>
  readonly legs: readonly Leg[]
}

export interface Tested {
  readonly p: number
  readonly isPrime: boolean
  /** The low 64 bits after every 500 iterations, hexadecimal. */
  readonly residues: Readonly<Record<string, string>>
  readonly legs: readonly Leg[]
}

const stride = 500
const halfWay = 'half-way, and what there is so far is safe'

/**
 * The test of Lucas (1878) and Lehmer (1930): s ← s² - 2 modulo 2^p - 1, from 4, p - 2 times; zero at the end means that it is prime.
 * Every 500 iterations it saves what it has, and it begins with what was saved last, by whichever worker.
 */
export const testCandidate = task(
  import.meta,
  'testCandidate',
  async ({ p, fate }: Candidate, ctx): Promise<Tested> => {
    const saved = (await ctx.checkpoint.load<Progress>())?.state
    const residues: Record<string, string> = { ...saved?.residues }
    const begin = { iteration: saved?.iteration ?? 0, ms: Date.now() }
    let { iteration, value } = saved ?? { iteration: 0, value: 4n }
    const legs = (): Leg[] => [
      ...(saved?.legs ?? []),
      {
        attempt: ctx.attempt,
        pid: process.pid,
        from: begin.iteration,
        to: iteration,
        fromMs: begin.ms,
        toMs: Date.now(),
      },
    ]
    const exponent = BigInt(p)
    const modulus = (1n << exponent) - 1n
    while (iteration < p - 2) {
      const square = value * value - 2n
      value = (square & modulus) + (square >> exponent)
      if (value >= modulus) value -= modulus
      if (++iteration % stride > 0) continue
      residues[iteration] = (value & 0xffffffffffffffffn).toString(16).padStart(16, '0')
      await ctx.checkpoint.save({ iteration, value, residues, legs: legs() } satisfies Progress, { iteration })
      if (ctx.attempt === 1 && iteration > p / 2 && iteration - stride <= p / 2) await meetFate(fate, ctx)
      await setImmediate()
      ctx.signal.throwIfAborted()
    }
    return { p, isPrime: value === 0n, residues, legs: legs() }
  },
)

async function meetFate(fate: Candidate['fate'], { log, signal }: TaskContext): Promise<void> {
  if (fate === 'broken') throw new Error('broken on purpose')
  if (fate !== 'killed') return
  log.info(halfWay)
  // It would be through before the program has read that: so it waits.
  await setTimeout(60_000, undefined, { signal })
}

/** What was done to whom, and when; epoch ms. */
export interface Kill {
  readonly workerId: string
  readonly pid: number
  readonly atMs: number
}

export interface FaultToleranceResult {
  readonly tested: readonly Tested[]
  /** Nothing on an inline run, where an attempt breaks instead. */
  readonly kill: Kill | undefined
  readonly isInline: boolean
  readonly startedAtMs: number
  readonly endedAtMs: number
}

export async function surviveKill(setting: Setting): Promise<FaultToleranceResult> {
  const { isReduced, isInline, startCluster, say, follow } = setting
  await using cluster = await startCluster({ workers: 2 })
  const [first, ...others] = isReduced ? exponentsOf.reduced : exponentsOf.full
  const candidates: Candidate[] = [{ p: first!, fate: isInline ? 'broken' : 'killed' }, ...others.map((p) => ({ p }))]
  const startedAtMs = Date.now()
  const futures = cluster.with({ name: 'Mersenne primes', retries: 2 }).map(testCandidate, candidates)
  const kills = isInline ? [] : await killWhoIsHalfWay(cluster, futures[0]!.job, say)

  const onProgress = follow('candidates', 'candidates')
  let done = 0
  for await (const _one of asCompleted(futures)) onProgress({ done: ++done, failed: 0, total: futures.length })
  const tested = await cluster.gather(futures)
  return { tested, kill: kills[0], isInline, startedAtMs, endedAtMs: Date.now() }
}

/** Kills the worker of the task that says it is half-way. @returns a list that then has the kill. */
async function killWhoIsHalfWay(cluster: Cluster, job: Job, say: Setting['say']): Promise<readonly Kill[]> {
  const workers = await cluster.workers()
  const kills: Kill[] = []
  job.onLog(({ workerId, text }) => {
    const victim = workers.find(({ id }) => id === workerId)
    if (kills.length > 0 || victim === undefined || !text.startsWith(halfWay)) return
    process.kill(victim.pid, 'SIGKILL')
    kills.push({ workerId, pid: victim.pid, atMs: Date.now() })
    say(`kill -9 ${victim.pid}: worker ${workerId} is gone, in the middle of a task`)
  })
  return kills
}

/** Some between which all exponents of Mersenne primes are known. */
const exponentsOf = {
  reduced: [2_203, 2_207, 2_213, 2_221, 2_237, 2_239, 2_243, 2_251, 2_267, 2_269, 2_273, 2_281],
  full: [
    ...[9_677, 9_679, 9_689, 9_697, 9_719, 9_721, 9_733, 9_739, 9_743, 9_749, 9_767, 9_769, 9_781, 9_787],
    ...[9_791, 9_803, 9_811, 9_817, 9_829, 9_833, 9_839, 9_851, 9_857, 9_859, 9_871, 9_883, 9_887, 9_901],
    ...[9_907, 9_923, 9_929, 9_931, 9_941, 2_203],
  ],
}

/** Exponents of Mersenne primes from 2,000 to 10,000. */
export const publishedExponents = [2_203, 2_281, 3_217, 4_253, 4_423, 9_689, 9_941]

/** Of p = 2203, the low 64 bits after so many iterations. */
export const publishedResidues: Readonly<Record<string, string>> = {
  ...{ '500': 'a630da1cbe9f558d', '1000': 'a00cddb2a3c7080f', '1500': '4825dd38423a7472', '2000': '0d6f9f62b71c45ad' },
}

export function checkSurvival({ tested, kill, isInline }: FaultToleranceResult): Check[] {
  const known = tested.map(({ p }) => Number(publishedExponents.includes(p)))
  const residues = tested.find(({ p }) => p === 2_203)?.residues ?? {}
  const wrong = Object.entries(publishedResidues).filter(([iteration, residue]) => residues[iteration] !== residue)
  const resumed = tested.filter(({ legs }) => legs.length > 1)
  const why = 'the purpose of this demo'
  return [
    checkEach({
      ...{ what: 'candidates tested', source: 'OEIS A000043', absolute: 0 },
      ...{ ours: tested.map(({ isPrime }) => Number(isPrime)), reference: known },
    }),
    checkSame({
      ...{ what: 'wrong residues of p = 2,203 on the way', ours: wrong.length, reference: 0 },
      source: 'computed with the integers of Python',
    }),
    checkSame({
      what: isInline ? 'attempts broken' : 'workers killed',
      ours: isInline ? resumed.length : kill ? 1 : 0,
      reference: 1,
      source: why,
    }),
    checkSame({
      ...{ what: 'who went on from its checkpoint', reference: 'one or more', source: why },
      ours: resumed.some(({ legs }) => legs.every((leg, k) => k === 0 || leg.from >= legs[k - 1]!.to))
        ? 'one or more'
        : 'nobody',
    }),
  ]
}
