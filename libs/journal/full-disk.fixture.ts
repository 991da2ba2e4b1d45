import { openLevelJournal } from './index.js'
import { textCodec } from './subject.fixture.js'

// A program of its own, because a limit on file sizes holds for a whole process: appends until the disk is full, then says
// how many appends were acknowledged and what the next one was told.
const journal = await openLevelJournal({ folder: process.argv[2] ?? '', codec: textCodec, onWarning: () => undefined })
// Bytes that do not compress.
let noise = 1
const text = (): string =>
  Array.from({ length: 2_000 }, () => {
    noise = (noise * 48_271) % 2_147_483_647
    return noise.toString(36)
  }).join('')
let acknowledged = 0
try {
  for (; acknowledged < 20_000; acknowledged++)
    await journal.append([`job ${acknowledged % 7}: ${acknowledged} ${text()}`])
} catch (error) {
  const again = await journal.append(['job: again']).catch((refused: unknown) => (refused as Error).message)
  process.stdout.write(JSON.stringify({ acknowledged, message: (error as Error).message, again }))
}
// As after a failed flush: nothing is closed in order.
process.exit(0)
