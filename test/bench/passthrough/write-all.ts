import { once } from 'node:events'
import type { Writable } from 'node:stream'

import { messageBytes } from './service.js'

const message = Buffer.alloc(messageBytes, 1)

/** Writes so many bytes, as fast as they are taken. */
export async function writeAll(call: Writable, bytes: number): Promise<void> {
  for (let written = 0; written < bytes; written += messageBytes) {
    if (!call.write(message.subarray(0, Math.min(messageBytes, bytes - written)))) await once(call, 'drain')
  }
}
