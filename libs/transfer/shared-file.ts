import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

import { findLibC, findReusedMemory } from '#libs/memory'

import { slotBytes, slots } from './limits.js'
import { SlotMarks } from './slot-marks.js'

const folder = '/dev/shm'
const namePattern = /^costate-bulk-(\d+)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** Those that are taken first. What is mapped counts as memory of the process: one that must save it reads and writes the others by calls. */
const fewMappedSlots = 2
/** The first page is for marks; slots follow. */
const headBytes = 4096
/** An offer that is older than this is not answered any more. */
const staleMs = 60_000

/** A file in shared memory. What a process that dies leaves is given back by the system, once the file has no name. */
export interface SharedFile {
  readonly name: string
  /** What both ends see at once; missing where the file cannot be mapped, and once it is closed. */
  readonly marks: SlotMarks | undefined
  /** Whether so much can be written into a slot without new pages, so that there is surely room. */
  hasRoom(slot: number, byteLength: number): boolean
  /** Writes into a slot, from this byte of it on. @throws when there is no room. */
  write(slot: number, data: Uint8Array, from?: number): void
  /** Fills `into` with what a slot has from this byte on. Throws when so much was never written there. */
  read(slot: number, into: Uint8Array, from?: number): void
  /** Nobody else can open it from now on. */
  unlink(): void
  close(): void
}

/** Whether this process may share memory; `COSTATE_SHARED_MEMORY=off` says no. */
export function mayShare(): boolean {
  return process.platform === 'linux' && process.env['COSTATE_SHARED_MEMORY'] !== 'off'
}

/** A new file of this process and this user; nothing where there can be none. */
export function createSharedFile(): SharedFile | undefined {
  const file = createFile()
  if (file === undefined) return undefined
  try {
    fs.writeSync(file.fd, new Uint8Array(headBytes), 0, headBytes, 0)
    return sharedFile(file.name, file.fd)
  } catch {
    // No room.
    file.unlink()
    fs.closeSync(file.fd)
    return undefined
  }
}

/** The same, as what it is; nobody can open it any more once it is unlinked. */
export function createFile(): { readonly name: string; readonly fd: number; unlink(): void } | undefined {
  if (!mayShare()) return undefined
  const name = `costate-bulk-${process.pid}-${randomUUID()}`
  const file = path.join(folder, name)
  try {
    sweepOnce()
    return { name, fd: fs.openSync(file, 'wx+', 0o600), unlink: () => fs.rmSync(file, { force: true }) }
  } catch {
    return undefined
  }
}

/** The file that another process of this user and this host has made; nothing when it is not one. */
export function openSharedFile(name: string): SharedFile | undefined {
  const fd = openFile(name)
  if (fd === undefined) return undefined
  if (fs.fstatSync(fd).size >= headBytes) return sharedFile(name, fd)
  fs.closeSync(fd)
  return undefined
}

/** The same, as its descriptor. */
export function openFile(name: string): number | undefined {
  if (!mayShare() || !namePattern.test(name)) return undefined
  try {
    const fd = fs.openSync(path.join(folder, name), fs.constants.O_RDWR | fs.constants.O_NOFOLLOW)
    const { uid, mode } = fs.fstatSync(fd)
    if (uid === process.getuid?.() && (mode & fs.constants.S_IFMT) === fs.constants.S_IFREG && (mode & 0o077) === 0) {
      return fd
    }
    fs.closeSync(fd)
  } catch {
    // Another host, another user, no such folder: all the same.
  }
  return undefined
}

function sharedFile(name: string, fd: number): SharedFile {
  let isOpen = true
  // Copied by the processor alone: what reads and writes of the system cost on top is as much again.
  const mappedSlots = findReusedMemory()?.isSaving === false ? slots : fewMappedSlots
  const mapped = findLibC()?.map(fd, headBytes + mappedSlots * slotBytes, 'toFile')
  const marks =
    mapped && new SlotMarks(new Int32Array(mapped.bytes.buffer, 0, headBytes / Int32Array.BYTES_PER_ELEMENT))
  /** How much of each slot has pages; more must be written by the system, which says so when there is no room. */
  const written = new Uint32Array(slots)
  /** The file had so many bytes when it was last looked at. */
  let knownBytes = 0

  const has = (endBytes: number): boolean => {
    if (endBytes > knownBytes) knownBytes = fs.fstatSync(fd).size
    return endBytes <= knownBytes
  }

  return {
    name,
    get marks() {
      return isOpen ? marks : undefined
    },
    hasRoom: (slot, byteLength) => byteLength <= (written[slot] ?? 0),
    write: (slot, data, from = 0) => {
      if (!isOpen) throw new Error(`shared memory ${name} is closed`)
      const start = headBytes + slot * slotBytes + from
      const end = from + data.byteLength
      const known = written[slot] ?? 0
      if (mapped && slot < mappedSlots && end <= known) {
        mapped.bytes.set(data, start)
        return
      }
      for (let done = 0; done < data.byteLength;) {
        done += fs.writeSync(fd, data, done, data.byteLength - done, start + done)
      }
      // What lies between has pages only if somebody wrote there.
      if (from <= known) written[slot] = Math.max(known, end)
    },
    read: (slot, into, from = 0) => {
      if (!isOpen) throw new Error(`shared memory ${name} is closed`)
      const start = headBytes + slot * slotBytes + from
      if (mapped && slot < mappedSlots && from + into.byteLength <= slotBytes && has(start + into.byteLength)) {
        into.set(mapped.bytes.subarray(start, start + into.byteLength))
        return
      }
      for (let done = 0; done < into.byteLength;) {
        const count = fs.readSync(fd, into, done, into.byteLength - done, start + done)
        if (count === 0)
          throw new Error(`shared memory ends in slot ${slot}, after ${done} of ${into.byteLength} bytes`)
        done += count
      }
    },
    unlink: () => fs.rmSync(path.join(folder, name), { force: true }),
    close: () => {
      // Its number may be another file's by now.
      if (!isOpen) return
      isOpen = false
      mapped?.unmap()
      fs.closeSync(fd)
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
