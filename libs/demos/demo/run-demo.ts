import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { formatDuration } from '../report/format.js'
import { describeMachine, readVersions } from '../report/machine.js'
import type { Demo } from './demo.js'
import { renderDemoReport } from './demo-report.js'
import { openSetting } from './demo-setting.js'
import type { DemoFlags } from './flags.js'
import { judgeChecks } from './judgement.js'

/** Runs a demo to its report, and prints its verdict. @returns whether it came out right. */
export async function runDemo(demo: Demo, flags: DemoFlags): Promise<boolean> {
  const startedAt = new Date()
  const id = `${startedAt.toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${demo.name}-${process.pid}`
  const folder = path.resolve(flags.out ?? path.join('.costate', 'runs', id))
  await mkdir(folder, { recursive: true })
  const setting = await openSetting(flags, folder)
  let result: unknown
  try {
    result = await demo.compute(setting)
  } finally {
    setting.close()
  }
  const durationMs = Date.now() - startedAt.getTime()
  const checks = demo.check(result)
  const verdict = judgeChecks(checks)
  const facts = {
    ...{ name: demo.name, startedAt: startedAt.toISOString(), durationMs },
    place: setting.isInline ? 'an inline cluster, in the process of the program' : 'a local cluster',
    command: ['node', path.relative(process.cwd(), process.argv[1] ?? ''), ...process.argv.slice(2)].join(' '),
    machine: describeMachine(),
    versions: await readVersions(),
  }
  const report = path.join(folder, 'report.html')
  const { title, summary, source } = demo
  const drawn = { tiles: demo.tiles(result), pictures: demo.pictures(result) }
  await writeFile(report, renderDemoReport({ ...facts, title, summary, source, verdict, checks, ...drawn }))
  const told = { ...facts, isInline: setting.isInline, verdict: verdict.isGood ? 'right' : 'wrong', checks, report }
  const json = `${JSON.stringify(told, null, 1)}\n`
  await writeFile(path.join(folder, 'results.json'), json)
  if (flags.json) process.stdout.write(json)
  else {
    const lines = [
      `${verdict.isGood ? '✓' : '✗'} ${demo.name}: ${verdict.headline} In ${formatDuration(durationMs)}.`,
      ...verdict.reasons.map((reason) => `  ${reason}`),
      `  report   ${report}`,
    ]
    process.stdout.write(`${lines.join('\n')}\n`)
  }
  return verdict.isGood
}
