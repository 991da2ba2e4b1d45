import fc from 'fast-check'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exactCost } from './figures/bryson-denham-curve.js'
import type { ProblemName, ReportData, ReportTask, ReportTrajectory } from './report-data.js'
import { renderReport } from './report.js'

// ——— A synthetic run: shaped like a real one, cheap enough for a unit test. ———

/** A seeded linear congruential generator: the synthetic run is the same every time. */
function createDice(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32
}

const nonlinearCases: readonly (readonly [ProblemName, Record<string, number | string>, number, number, string])[] = [
  ['vanDerPol', { horizon: 2 }, 1.04780690822, 1e-6, 'Two independent methods; Bocop vanderpol on a coarse grid'],
  ['vanDerPol', { horizon: 5 }, 1.433476211282, 1e-6, 'Two independent methods'],
  ['rayleigh', { case: 'A', horizon: 2.5 }, 29.376079655943, 1e-6, 'Maurer & Augustin (2001)'],
  ['rayleigh', { case: 'B', horizon: 4.5 }, 44.804445, 1e-4, 'Maurer & Augustin (2001)'],
]

interface SyntheticOptions {
  readonly tasks?: number
  readonly workers?: number
  readonly slots?: number
  readonly hasFailures?: boolean
}

function synthesizeRun({
  tasks = 240,
  workers = 2,
  slots = 1,
  hasFailures = false,
}: SyntheticOptions = {}): ReportData {
  const roll = createDice(tasks * 31 + workers)
  const swept = Math.max(0, tasks - nonlinearCases.length)
  const lanes = Array.from({ length: workers * slots }, (_, i) => ({
    workerId: `worker-${(0x3fa1 + 7919 * Math.floor(i / slots)).toString(16)}`,
    slot: i % slots,
    freeAtMs: 40 + 30 * roll(),
  }))
  const list = Array.from({ length: tasks }, (_, index): ReportTask => {
    const lane = lanes.reduce((a, b) => (a.freeAtMs <= b.freeAtMs ? a : b))
    const stateBound = 0.04 + (0.26 * index) / Math.max(1, swept - 1)
    const [problem, parameters, published, relativeTolerance, publishedSource] =
      index < swept
        ? (['brysonDenham', { stateBound }, exactCost(stateBound), 1e-4, 'Bryson, Denham & Dreyfus (1963)'] as const)
        : nonlinearCases[index - swept]!
    const startMs = lane.freeAtMs + 1 + 4 * roll()
    const endMs = startMs + (problem === 'brysonDenham' ? 28 + 30 * roll() : 260 + 300 * roll())
    lane.freeAtMs = endMs
    const relativeError = relativeTolerance * 10 ** (-0.4 - 2.8 * roll())
    const objective = published * (1 + relativeError)
    const { workerId, slot } = lane
    const iterations = 8 + Math.floor(6 * roll())
    const task = { index, problem, parameters, status: 'finished', workerId, slot, startMs, endMs, objective } as const
    const judged = { published, publishedSource, relativeTolerance, relativeError, withinTolerance: true }
    return { ...task, ...judged, intervals: 80, iterations }
  })
  const durationMs = Math.max(60, ...list.map(({ endMs }) => endMs)) + 35
  return {
    run: {
      id: '20261122-140311-7c2e',
      startedAt: '2026-11-22T14:03:11.482Z',
      command: 'make run WORKERS=2 PROBLEMS=240',
      durationMs,
    },
    machine: { os: 'Linux 6.8 x64', cpuModel: 'AMD EPYC 7B13', cores: 2, memoryBytes: 8 * 2 ** 30 },
    versions: { costate: '0.1.0', node: '20.20.2' },
    workers: Array.from({ length: workers }, (_, i) => ({ id: lanes[i * slots]!.workerId, slots })),
    tasks: hasFailures ? list.map(spoil) : list,
    trajectories: [
      ...[0.04, 0.0933, 0.1466, 0.2, 0.3].map((bound) => boundedTrajectory(bound, list)),
      ...list.filter(({ problem }) => problem !== 'brysonDenham').map(oscillation),
    ],
    phases: [
      { name: 'submit', medianMs: 3.1, totalMs: 3.1 },
      { name: 'queue', medianMs: durationMs / 2, totalMs: (durationMs / 2) * tasks },
      { name: 'dispatch', medianMs: 2.4, totalMs: 2.6 * tasks },
      { name: 'run', medianMs: 43.2, totalMs: 46 * tasks },
      { name: 'gather', medianMs: 0.62, totalMs: 0.7 * tasks },
    ],
    traceFiles: ['client', 'scheduler', 'checkpoint-store', ...lanes.map(({ workerId }) => workerId)].map(
      (process) => ({
        process,
        path: `traces/${process}.otlp.jsonl`,
      }),
    ),
    jobId: 'job-01jd9k3v7q',
    traceCommand: 'costate trace job-01jd9k3v7q',
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  }
}

/** Every way to have no right answer, at places spread over the sweep. */
function spoil(task: ReportTask): ReportTask {
  const none = { objective: Number.NaN, relativeError: Number.NaN, withinTolerance: false }
  const stack = [
    'Error: the reduced Hessian is singular at iteration 14: refine the mesh or start nearer',
    '    at factorise (libs/control/kkt-system.ts:88:11)',
    '    at solve (libs/demos/main-job/tasks.ts:41:18)',
  ].join('\n')
  if (task.index % 61 === 7)
    return { ...task, ...none, status: 'failed', failure: { kind: 'userError', message: stack } }
  if (task.index === 90)
    return { ...task, ...none, status: 'failed', failure: { kind: 'workerLost', message: 'Lost with signal SIGKILL.' } }
  if (task.index === 130) return { ...task, ...none, status: 'finished' }
  if (task.index === 30) return wrongBy(task, 0.012)
  if (task.index === 165) return wrongBy(task, 4e-3)
  if (task.index === 200) return wrongBy(task, 40)
  if (task.index !== 238) return task
  const never = { workerId: '', slot: 0, startMs: Number.NaN, endMs: Number.NaN }
  return { ...task, ...none, ...never, status: 'cancelled' }
}

function wrongBy(task: ReportTask, relativeError: number): ReportTask {
  return { ...task, relativeError, objective: task.published * (1 + relativeError), withinTolerance: false }
}

/** The exact solution (Bryson & Ho §3.11), mirrored at half time. */
function boundedTrajectory(bound: number, tasks: readonly ReportTask[]): ReportTrajectory {
  const distance = (task: ReportTask) => Math.abs(Number(task.parameters['stateBound'] ?? Infinity) - bound)
  const nearest = tasks.reduce<ReportTask | undefined>((a, b) => (a && distance(a) <= distance(b) ? a : b), undefined)
  const exactBound = Number(nearest?.parameters['stateBound'] ?? bound)
  const t = Float64Array.from({ length: 101 }, (_, i) => i / 100)
  const rows = Array.from(t, (time) => {
    const mirrored = Math.min(time, 1 - time)
    const [x1, x2, u] = halfSolution(mirrored, exactBound)
    return [x1, time <= 0.5 ? x2 : -x2, u] as const
  })
  return {
    problem: 'brysonDenham',
    label: `ℓ = ${bound}`,
    taskIndex: nearest?.index ?? 0,
    t,
    x: Float64Array.from(rows.flatMap(([x1, x2]) => [x1, x2])),
    u: Float64Array.from(rows.map(([, , u]) => u)),
    stateSize: 2,
    controlSize: 1,
  }
}

function halfSolution(t: number, l: number): [number, number, number] {
  if (l >= 0.25) return [t - t * t, 1 - 2 * t, -2]
  if (l > 1 / 6) {
    const [a, b] = [-8 * (1 - 3 * l), 24 * (1 - 4 * l)]
    return [t + (a * t * t) / 2 + (b * t ** 3) / 6, 1 + a * t + (b * t * t) / 2, a + b * t]
  }
  const left = Math.max(0, 1 - t / (3 * l))
  return [l * (1 - left ** 3), left ** 2, (-2 / (3 * l)) * left]
}

/** A damped oscillator under linear feedback, with controls constant between the points of time. */
function oscillation({ problem, parameters, index }: ReportTask): ReportTrajectory {
  const horizon = Number(parameters['horizon'])
  const steps = 80
  const h = horizon / steps
  let [x1, x2] = problem === 'rayleigh' ? [-5, -5] : [1, 0]
  const x = [x1, x2]
  const u: number[] = []
  for (let i = 0; i < steps; i++) {
    const control = problem === 'rayleigh' ? -0.35 * x1 - 0.75 * x2 : -0.4 * x1 - 1.9 * x2
    const drift = problem === 'rayleigh' ? x2 * (1.4 - 0.14 * x2 * x2) + 4 * control : (1 - x1 * x1) * x2 + control
    x2 += h * (drift - x1)
    x1 += h * x2
    x.push(x1, x2)
    u.push(control)
  }
  const label = `${problem === 'rayleigh' ? `Rayleigh, case ${parameters['case'] ?? ''}` : 'van der Pol'}, T = ${horizon}`
  const t = Float64Array.from({ length: steps + 1 }, (_, i) => i * h)
  const dims = { stateSize: 2, controlSize: 1 }
  return { problem, label, taskIndex: index, t, x: Float64Array.from(x), u: Float64Array.from(u), ...dims }
}

// ——— A strict reader: what passes is well-formed XML and means the same to an HTML parser. ———

const voidElements = new Set(['meta', 'link', 'br', 'hr', 'img', 'input'])

/** Names of all elements in order of appearance; throws at the first thing that is not well-formed. */
function readStrictly(document: string): string[] {
  const names: string[] = []
  const open: string[] = []
  const body = document.replace(/^<!DOCTYPE html>\n/, '')
  const tokens = /<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)|(<)/gy
  let end = 0
  for (const token of body.matchAll(tokens)) {
    const [whole, closing, name = '', attributes = '', selfClosing, text, stray] = token
    end = token.index + whole.length
    const context = body.slice(Math.max(0, token.index - 60), token.index + 60)
    if (stray !== undefined) throw new Error(`stray < near ${context}`)
    checkText(text ?? attributes, context)
    if (text !== undefined) continue
    if (closing === '/') {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing near ${context}`)
      continue
    }
    names.push(name)
    checkAttributes(attributes, context)
    // To an HTML parser <div/> is an open tag: only void elements and SVG may close themselves, void ones must.
    if ((selfClosing === '/') !== voidElements.has(name) && !open.includes('svg'))
      throw new Error(`<${name}> wrongly (not) closed near ${context}`)
    if (selfClosing !== '/') open.push(name)
  }
  if (end !== body.length) throw new Error(`unreadable near ${body.slice(end, end + 120)}`)
  if (open.length > 0) throw new Error(`never closed: ${open.join(' ')}`)
  return names
}

function checkText(text: string, context: string): void {
  if (/&(?!(?:amp|lt|gt|quot|#39);)/.test(text)) throw new Error(`bare & near ${context}`)
  if (/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]|\p{Surrogate}/u.test(text))
    throw new Error(`no XML character near ${context}`)
}

function checkAttributes(attributes: string, context: string): void {
  const names = Array.from(attributes.matchAll(/([\w:-]+)="/g), ([, name]) => name)
  if (new Set(names).size !== names.length) throw new Error(`attribute given twice near ${context}`)
  for (const [, name = '', value = ''] of attributes.matchAll(/([\w:-]+)="([^"]*)"/g))
    if (/^([xyrd]|[xy][12]|c[xy]|width|height|viewBox)$/.test(name) && /NaN|Infinity|undefined/.test(value))
      throw new Error(`${name}="${value}" is no place near ${context}`)
}

/** What a reader sees, without tags. */
function textOf(document: string): string {
  return document
    .replace(/<style>[^]*<\/style>/, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
}

function countOf(needle: string, document: string): number {
  return document.split(needle).length - 1
}

// ——— The tests. ———

const variants: readonly (readonly [string, ReportData])[] = [
  ['two-workers', synthesizeRun()],
  ['eight-workers', synthesizeRun({ tasks: 480, workers: 8, slots: 1 })],
  ['four-threads', synthesizeRun({ tasks: 320, workers: 2, slots: 4 })],
  ['with-failures', synthesizeRun({ workers: 2, hasFailures: true })],
  ['one-task', synthesizeRun({ tasks: 1, workers: 1 })],
  ['empty', { ...synthesizeRun({ tasks: 0 }), trajectories: [], phases: [], traceFiles: [], workers: [] }],
]

test.each(variants)('the report of %s is well-formed and stands alone', (name, data) => {
  const report = renderReport(data)
  // To look at them: COSTATE_REPORT_OUT=/some/folder npx vitest run --project unit libs/demos/main-job/report.test.ts
  const out = process.env['COSTATE_REPORT_OUT']
  if (out !== undefined) {
    mkdirSync(out, { recursive: true })
    writeFileSync(join(out, `${name}.html`), report)
  }
  const elements = readStrictly(report)
  expect(elements.filter((element) => element === 'figure')).toHaveLength(5)
  for (const loader of ['script', 'img', 'iframe', 'object', 'image', 'use']) expect(elements).not.toContain(loader)
  expect(report).not.toMatch(/https?:|url\(|@import|src="/)
})

test('the strict reader finds what it is there to find', () => {
  expect(readStrictly('<p>a<svg><path d="M0 0"/></svg></p>')).toEqual(['p', 'svg', 'path'])
  const broken = [
    '<p>',
    '<p></b></p>',
    '<div/>',
    '<br>',
    '<p a="1" a="2"></p>',
    '<p>a & b</p>',
    '<p>1 < 2</p>',
    '<p a=1></p>',
  ]
  for (const document of [...broken, '<svg><circle r="NaN"/></svg>', '</p>', '<p>\x1b</p>'])
    expect(() => readStrictly(document), document).toThrow()
})

test('a good run says so, and its tiles follow from the tasks', () => {
  const data = synthesizeRun({ tasks: 240, workers: 2 })
  const text = textOf(renderReport(data))
  expect(text).toContain('All 240 answers agree with the published values within tolerance.')
  expect(text).not.toContain('What failed')
  const solveMs = data.tasks.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0)
  const speedUp = solveMs / data.run.durationMs
  expect(text).toContain(`speed-up ${Number(speedUp.toPrecision(3))} ×`)
  expect(text).toContain(`efficiency ${Math.round((speedUp / 2) * 100)} %`)
  expect(text).toContain(`costate trace ${data.jobId}`)
})

test('every failed, cancelled, wrong or empty task is drawn and listed', () => {
  const data = synthesizeRun({ workers: 2, hasFailures: true })
  const report = renderReport(data)
  const text = textOf(report)
  expect(text).toContain('10 of 240 problems have no right answer.')
  expect(text).toContain('5 tasks failed: 4 × userError, 1 × workerLost.')
  expect(text).toContain('1 task was cancelled.')
  expect(text).toContain('1 task finished without a finite objective.')
  expect(text).toContain('3 answers are further from the published value than allowed.')
  expect(text).toContain('4 tasks: #7, 68, 129, 190')
  expect(text).toContain('the reduced Hessian is singular')
  expect(text).toContain('Lost with signal SIGKILL.')
  expect(text).toContain('#238 Rayleigh')
  expect(text).toContain('1 task never ran on a worker.')
  for (const index of [30, 165, 200]) expect(text).toContain(`#${index} Bryson–Denham`)
  // Each figure comes in two widths, and each legend shows its symbols once.
  const [costCurve, , , timeline, errorPlot] = report.split('<figure>').slice(1)
  expect(countOf('class="missing"', costCurve!)).toBe(2 * 6 + 1)
  expect(countOf('class="wrong"', costCurve!)).toBe(2 * 3 + 2)
  expect(costCurve).toContain('(off the scale)')
  expect(countOf('class="flag"', timeline!)).toBe(2 * 9)
  expect(countOf('<rect class="task bad"', timeline!.split('</ul>')[1]!)).toBe(2 * 9)
  expect(countOf('class="missing"', errorPlot!.split('</figure>')[0]!)).toBe(2 * 7 + 1)
  expect(countOf('class="wrong"', errorPlot!.split('</figure>')[0]!)).toBe(2 * 3 + 1)
})

test('every task has its block on the timeline and its mark in the error plot, in both widths', () => {
  const data = synthesizeRun({ tasks: 320, workers: 2, slots: 4 })
  const [costCurve, , , timeline, errorPlot] = renderReport(data).split('<figure>').slice(1)
  expect(countOf('<rect class="task ', timeline!.split('</ul>')[1]!)).toBe(2 * 320)
  expect(countOf('<rect class="lane"', timeline!)).toBe(2 * 8)
  expect(countOf('<circle class="dot ', errorPlot!.split('</ul>')[1]!)).toBe(2 * 320)
  expect(countOf('<circle class="dot ', costCurve!.split('</ul>')[1]!)).toBe(2 * 316)
})

test('an empty run and a run of one are told as such', () => {
  const empty = textOf(renderReport({ ...synthesizeRun({ tasks: 0 }), trajectories: [], phases: [], traceFiles: [] }))
  expect(empty).toContain('Nothing was solved: the run has no problems.')
  expect(empty).toContain('This run has no data for this figure.')
  expect(empty).toContain('No trace files were written')
  const single = textOf(renderReport(synthesizeRun({ tasks: 1, workers: 1 })))
  expect(single).toContain('The answer agrees with the published value within its tolerance.')
})

test('hostile text stays text wherever it appears', () => {
  const hostile = `"'><script>alert(1)</script>&<img src=x onerror=alert(2)>\x1b[31m\u202e\ud800]]>-->`
  const data = synthesizeRun({ tasks: 12, workers: 2 })
  const task = {
    ...data.tasks[0]!,
    ...{ workerId: hostile, publishedSource: hostile, parameters: { [hostile]: hostile } },
  }
  const failed = { status: 'failed', objective: Number.NaN, failure: { kind: hostile, message: hostile } } as const
  const report = renderReport({
    ...data,
    run: { id: hostile, startedAt: hostile, command: hostile, durationMs: 1000 },
    machine: { ...data.machine, os: hostile, cpuModel: hostile },
    versions: { [hostile]: hostile },
    workers: [{ id: hostile, slots: 1 }],
    tasks: [task, { ...task, ...failed, index: 1 }, ...data.tasks.slice(2)],
    trajectories: data.trajectories.map((trajectory) => ({ ...trajectory, label: hostile })),
    phases: [{ name: hostile, medianMs: 1, totalMs: 1 }],
    traceFiles: ['javascript:alert(3)', '//evil.example/x', '../a b?c#d', hostile].map((path) => ({
      process: hostile,
      path,
    })),
    jobId: hostile,
    traceId: hostile,
  })
  const elements = readStrictly(report)
  expect(elements).not.toContain('script')
  expect(elements).not.toContain('img')
  const links = Array.from(report.matchAll(/href="([^"]*)"/g), ([, href]) => href)
  expect(links).toContain('./javascript%3Aalert(3)')
  expect(links).toContain('./evil.example/x')
  expect(links).toContain('./../a%20b%3Fc%23d')
  for (const href of links) expect(href).toMatch(/^(\.\/|#failures$|data:,$)/)
})

test('no number, however odd, makes the report throw or draws at no place', () => {
  const odd = fc.oneof(
    fc.double(),
    fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 5e-324, 1.7e308, -1.7e308, 1e20),
  )
  const numbers = fc.record({
    startMs: odd,
    endMs: odd,
    objective: odd,
    published: odd,
    relativeTolerance: odd,
    relativeError: odd,
    withinTolerance: fc.boolean(),
    parameters: fc.record({ stateBound: odd, horizon: odd }),
    problem: fc.constantFrom('brysonDenham' as const, 'vanDerPol' as const, 'rayleigh' as const),
  })
  const data = synthesizeRun({ tasks: 8, workers: 2 })
  fc.assert(
    fc.property(
      fc.array(numbers, { maxLength: 8 }),
      odd,
      fc.array(odd, { maxLength: 9 }),
      (changes, durationMs, values) => {
        const tasks = changes.map((change, i) => ({ ...data.tasks[i]!, ...change }))
        const numbersOf = Float64Array.from(values)
        const trajectories = data.trajectories.map((it) => ({ ...it, t: numbersOf, x: numbersOf, u: numbersOf }))
        const phases = values.map((value, i) => ({ name: `phase ${i}`, medianMs: value, totalMs: value }))
        readStrictly(renderReport({ ...data, run: { ...data.run, durationMs }, tasks, trajectories, phases }))
      },
    ),
    { numRuns: 150, seed: 20261122 },
  )
})
