import { appendFileSync, mkdirSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'

/** A text file of whole lines that never grows beyond a number of bytes. */
export interface RotatingFile {
  /** Resolves when the line is in the file; rejects when it is lost. Lines keep their order. */
  append(line: string): Promise<void>
  /** Resolves when everything appended so far is on the disk. */
  sync(): Promise<void>
  close(): Promise<void>
  /** Writes what `append` has not finished, without the event loop: for the last moment of a process. May write a line twice. */
  drainSync(): void
}

interface Waiting {
  readonly bytes: Buffer
  readonly settle: (error?: Error) => void
}

interface OpenFile {
  readonly handle: FileHandle
  sizeBytes: number
}

/**
 * A file at `<stem><suffix>`. Before it would exceed `maxFileBytes` it is renamed to `<stem>.<n><suffix>` with n rising, and
 * of all of them the newest `maxFiles` are kept, so that the whole never exceeds the product (a longer line gets a file of its
 * own). The folder and the file are made by the first append. After a failed write the next append opens the file anew.
 */
export function openRotatingFile(options: {
  stem: string
  suffix: string
  maxFileBytes: number
  maxFiles: number
}): RotatingFile {
  const { stem, suffix, maxFileBytes, maxFiles } = options
  const path = stem + suffix
  const waiting: Waiting[] = []
  let file: OpenFile | undefined
  let work: Promise<void> | undefined

  async function rotate(): Promise<void> {
    await closeFile()
    const past = await generationsOf(stem, suffix)
    const next = (past.at(-1) ?? 0) + 1
    await rename(path, generationPath(stem, next, suffix))
    const outdated = past.filter((generation) => generation <= next - (maxFiles - 1))
    if (maxFiles === 1) outdated.push(next)
    await Promise.all(outdated.map((generation) => rm(generationPath(stem, generation, suffix), { force: true })))
  }

  async function closeFile(): Promise<void> {
    const closing = file
    file = undefined
    await closing?.handle.close()
  }

  async function write(bytes: Buffer): Promise<void> {
    file ??= await openForAppend(path)
    if (file.sizeBytes > 0 && file.sizeBytes + bytes.length > maxFileBytes) {
      await rotate()
      file = await openForAppend(path)
    }
    await file.handle.appendFile(bytes)
    file.sizeBytes += bytes.length
  }

  async function drain(): Promise<void> {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      let failure: Error | undefined
      try {
        await write(next.bytes)
      } catch (error) {
        failure = error as Error
        await closeFile().catch(() => undefined)
      }
      // Gone already when drainSync came in between.
      if (waiting[0] === next) waiting.shift()
      next.settle(failure)
    }
    work = undefined
  }

  return {
    append(line) {
      return new Promise((resolve, reject) => {
        const settle = (error?: Error): void => (error ? reject(error) : resolve())
        waiting.push({ bytes: Buffer.from(line + '\n'), settle })
        work ??= drain()
      })
    },
    async sync() {
      await work
      await file?.handle.datasync()
    },
    async close() {
      await work
      await closeFile()
    },
    drainSync() {
      const rest = waiting.splice(0)
      if (rest.length === 0) return
      mkdirSync(dirname(path), { recursive: true })
      appendFileSync(path, Buffer.concat(rest.map(({ bytes }) => bytes)))
      for (const { settle } of rest) settle()
    },
  }
}

const newline = Buffer.from('\n')

async function openForAppend(path: string): Promise<OpenFile> {
  await mkdir(dirname(path), { recursive: true })
  const handle = await open(path, 'a+')
  const { size: sizeBytes } = await handle.stat()
  const file = { handle, sizeBytes }
  if (sizeBytes === 0) return file
  // A predecessor that died, or a full disk, may have left half a line: end it, so that only that one is lost.
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, sizeBytes - 1)
  if (buffer[0] !== newline[0]) {
    await handle.appendFile(newline)
    file.sizeBytes += 1
  }
  return file
}

function generationPath(stem: string, generation: number, suffix: string): string {
  return `${stem}.${generation}${suffix}`
}

async function generationsOf(stem: string, suffix: string): Promise<number[]> {
  const prefix = basename(stem) + '.'
  const names = await readdir(dirname(stem))
  return names
    .filter((name) => name.startsWith(prefix) && name.endsWith(suffix))
    .map((name) => name.slice(prefix.length, name.length - suffix.length))
    .filter((digits) => /^[0-9]+$/.test(digits))
    .map(Number)
    .sort((a, b) => a - b)
}
