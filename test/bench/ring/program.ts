// The other end of a ring: its parent says what to do, and that it may do it; it says when it is done.
import fs from 'node:fs'
import { Socket } from 'node:net'

import { receiveThrough, sendThrough } from './ring.js'

const channel = new Socket({ fd: 4 })
const fd = fs.openSync(process.argv[2] as string, 'r+')
const body = new Uint8Array(Number(process.argv[3])).fill(1)
process.on('message', (work: 'send' | 'receive') => {
  void (work === 'send' ? sendThrough(fd, channel, body) : receiveThrough(fd, channel, body)).then(() =>
    process.send?.('done'),
  )
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
