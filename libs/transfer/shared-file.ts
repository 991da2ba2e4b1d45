import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

import { slotBytes } from './limits.js'

const folder = '/dev/shm'
const namePattern = /^costate-bulk-(\d+)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** An offer that is older than this is not answered any more. */
const staleMs = 60_000

/** A file in shared memory. What a process that dies leaves is given back by the system, once the file has no name. */
export interface SharedFile {
  readonly name: string
  /** @throws when there is no room. */
  write(slot: number, data: Uint8Array): void
  /** Fills `into` from the start of a slot. Throws when so much was never written there. */
  read(slot: number, into: Uint8Array): void
  /** The same at an offset in bytes, for a file that is no slots. */
  writeAt(offset: number, data: Uint8Array): void
  readAt(offset: number, into: Uint8Array): void
  /** Nobody else can open it from now on. */
  unlink(): void
  close(): void
}

/** Whether this process may share memory; `COSTATE_SHARED_MEMORY=off` says no. */
function mayShare(): boolean {
  return process.platform === 'linux' && process.env['COSTATE_SHARED_MEMORY'] !== 'off'
}

/** A new file of this process and this user; nothing where there can be none. */
export function createSharedFile(): SharedFile | undefined {
  if (!mayShare()) return undefined
  const name = `costate-bulk-${process.pid}-${randomUUID()}`
  try {
    sweepOnce()
    return sharedFile(name, fs.openSync(path.join(folder, name), 'wx+', 0o600))
  } catch {
    return undefined
  }
}

/** The file that another process of this user and this host has made; nothing when it is not one. */
export function openSharedFile(name: string): SharedFile | undefined {
  if (!mayShare() || !namePattern.test(name)) return undefined
  try {
    const fd = fs.openSync(path.join(folder, name), fs.constants.O_RDWR | fs.constants.O_NOFOLLOW)
    const { uid, mode } = fs.fstatSync(fd)
    if (uid === process.getuid?.() && (mode & fs.constants.S_IFMT) === fs.constants.S_IFREG && (mode & 0o077) === 0) {
      return sharedFile(name, fd)
    }
    fs.closeSync(fd)
  } catch {
    // Another host, another user, no such folder: all the same.
  }
  return undefined
}

function sharedFile(name: string, fd: number): SharedFile {
  let isOpen = true
  const writeAt = (offset: number, data: Uint8Array): void => {
    for (let done = 0; done < data.byteLength;) {
      done += fs.writeSync(fd, data, done, data.byteLength - done, offset + done)
    }
  }
  const readAt = (offset: number, into: Uint8Array): void => {
    for (let done = 0; done < into.byteLength;) {
      const count = fs.readSync(fd, into, done, into.byteLength - done, offset + done)
      if (count === 0)
        throw new Error(`shared memory ends at ${offset + done}, ${into.byteLength - done} bytes too early`)
      done += count
    }
  }
  return {
    name,
    writeAt,
    readAt,
    write: (slot, data) => writeAt(slot * slotBytes, data),
    read: (slot, into) => readAt(slot * slotBytes, into),
    unlink: () => fs.rmSync(path.join(folder, name), { force: true }),
    close: () => {
      // Its number may be another file's by now.
      if (isOpen) fs.closeSync(fd)
      isOpen = false
    },
  }
}

let swept = false

/** Removes what processes left that died between an offer and its answer. */
function sweepOnce(): void {
  if (swept) return
  swept = true
  sweepSharedFiles(Date.now())
}

/** Removes the named files of this user whose processes are gone; `nowMs` is the time of day. */
export function sweepSharedFiles(nowMs: number): void {
  for (const name of fs.readdirSync(folder)) {
    const pid = namePattern.exec(name)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    try {
      const file = path.join(folder, name)
      const { uid, mtimeMs } = fs.lstatSync(file)
      // Its process may live in another container, where its id is another one.
      if (uid === process.getuid?.() && nowMs - mtimeMs > staleMs) fs.rmSync(file, { force: true })
    } catch {
      // Somebody else was faster.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
