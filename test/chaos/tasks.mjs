import { appendFileSync, readdirSync, watch, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

import { task } from 'costate'

/** Leaves a mark on the disk when it starts and another when it ends: what was run, however often the mesh forgot it. */
export const visit = task(import.meta, 'visit', async (folder, index, ms, ctx) => {
  const mark = (what) =>
    appendFileSync(`${folder}/marks`, `${what} ${index} ${ctx.attempt} ${process.pid} ${Date.now()}\n`)
  mark('start')
  if (ms > 0) await pause(ms)
  mark('end')
  return index * 2
})

/** Ends when so many of them run at once: each has a slot of its own. */
export const meet = task(import.meta, 'meet', async (folder, index, count) => {
  await new Promise((resolve) => {
    const look = () => readdirSync(folder).length === count && (watcher.close(), resolve())
    const watcher = watch(folder, look)
    writeFileSync(`${folder}/${index}`, '')
    look()
  })
})
