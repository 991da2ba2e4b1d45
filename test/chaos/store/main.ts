import { runStoreChaos } from './store-chaos.js'

const { KILLS = '', SEED = '' } = process.env
const settings = { kills: Number(KILLS || 200), seed: Number(SEED || 1) }
const shownComplaints = 20

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

print(`seed ${settings.seed}: ${settings.kills} kills of the checkpoint-store`)
const { complaints, acknowledged, killedAt } = await runStoreChaos(settings, print)
print(`${acknowledged} versions were acknowledged; the store died at`)
for (const [where, count] of [...killedAt].sort(([a], [b]) => (a < b ? -1 : 1))) print(`  ${where}: ${count}`)
if (complaints.length === 0) print('every promise was kept')
else print(`${complaints.length} promises were broken (seed ${settings.seed}):`)
for (const complaint of complaints.slice(0, shownComplaints)) print(`  ${complaint}`)
process.exitCode = complaints.length === 0 ? 0 : 1
