// Adds up what the test runners said, and says it in one line. A failure before any test ran counts as one.
import { readFileSync } from 'node:fs'

const [, , log, status] = process.argv
const text = readFileSync(log, 'utf8').replaceAll(/\u001b\[[0-9;]*m/g, '')
const totals = { passed: 0, failed: 0, skipped: 0 }
for (const [, summary] of text.matchAll(/^\s+Tests\s+(.+)$/gm)) {
  for (const [, count, kind] of summary.matchAll(/(\d+) (passed|failed|skipped)/g)) totals[kind] += Number(count)
}
if (status !== '0' && totals.failed === 0) totals.failed = 1
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
