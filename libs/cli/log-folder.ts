import { watch } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import path from 'node:path'

import { type LogLine, type LogOrigin, parseLogLine } from './log-line.js'

/** Services write the one, SLURM jobs the other. */
const logFile = /\.(?:log|out)$/

/** The log files of a run folder, read on from where the last reading ended. */
export interface LogFolder {
  /** What came since the last call, of all files together, in order of time. */
  readNew(): Promise<LogLine[]>
}

interface Reading {
  offset: number
  /** The beginning of a line whose end is not written yet. */
  rest: Buffer
  origin: LogOrigin
}

const newline = 0x0a
/** Changes are told by the file system where it does that; elsewhere somebody has to look. */
const lookEveryMs = 500

export function openLogFolder(folder: string): LogFolder {
  const readings = new Map<string, Reading>()

  async function readFile(name: string): Promise<LogLine[]> {
    let reading = readings.get(name)
    if (reading === undefined) {
      const instance = name.replace(logFile, '')
      // A process may write before its logger does: by then it belongs to the beginning.
      const origin = { atMs: 0, service: instance.replace(/-\d+$/, ''), instance }
      readings.set(name, (reading = { offset: 0, rest: Buffer.alloc(0), origin }))
    }
    const bytes = await readFrom(path.join(folder, name), reading)
    const whole = Buffer.concat([reading.rest, bytes])
    const end = whole.lastIndexOf(newline) + 1
    reading.rest = whole.subarray(end)
    const lines: LogLine[] = []
    for (const text of whole.toString('utf8', 0, end).split('\n')) {
      if (text.trim() === '') continue
      const line = parseLogLine(text, reading.origin)
      reading.origin = { atMs: line.atMs, service: line.service, instance: line.instance }
      lines.push(line)
    }
    return lines
  }

  return {
    readNew: async () => {
      const names = (await readdir(folder)).filter((name) => logFile.test(name)).sort()
      const lines = (await Promise.all(names.map(readFile))).flat()
      return lines.sort((a, b) => a.atMs - b.atMs)
    },
  }
}

async function readFrom(file: string, reading: Reading): Promise<Buffer> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    // Somebody emptied the file.
    if (size < reading.offset) reading.offset = 0
    const { buffer, bytesRead } = await handle.read({
      buffer: Buffer.alloc(size - reading.offset),
      position: reading.offset,
    })
    reading.offset += bytesRead
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

/** Yields whenever something may have been written to the folder, until the signal is aborted. */
export async function* changesOf(folder: string, signal: AbortSignal): AsyncGenerator<void> {
  let wake: () => void = () => undefined
  const watcher = watch(folder, () => wake())
  watcher.on('error', () => undefined)
  const timer = setInterval(() => wake(), lookEveryMs)
  const stop = (): void => wake()
  signal.addEventListener('abort', stop)
  try {
    while (!signal.aborted) {
      const changed = new Promise<void>((resolve) => (wake = resolve))
      yield
      await changed
    }
  } finally {
    signal.removeEventListener('abort', stop)
    clearInterval(timer)
    watcher.close()
  }
}
