import { randomUUID } from 'node:crypto'
import fs from 'node:fs'

import { findLibC } from '#libs/memory'
import type { SealedMemory } from '#libs/proto'

import { mayShare } from './shared-file.js'

/** Memory without a name in any folder, which nobody can change once it is sealed. It goes when nobody has it open or mapped. */
export interface UnsealedFile {
  readonly name: string
  readonly fd: number
  /** From now on nobody, this process neither, can write to it or change its length. Nothing when the system refuses. */
  readonly seal: () => SealedMemory | undefined
}

/** New memory of that kind; nothing where there is none. */
export function createUnsealedFile(): UnsealedFile | undefined {
  const libc = mayShare() ? findLibC() : undefined
  const name = `costate-bulk-${process.pid}-${randomUUID()}`
  const fd = libc?.createSealable(name)
  if (libc === undefined || fd === undefined) return undefined
  const sealed = { processId: process.pid, descriptor: fd }
  return { name, fd, seal: () => (libc.seal(fd) ? sealed : undefined) }
}

/**
 * Opens the sealed memory of another process of this user and this host, to be read. Nothing where it is not to be seen from here, as from
 * another container, where the process's number is another's, or when it is not that memory, or not sealed.
 */
export function openSealedFile(name: string, { processId, descriptor }: SealedMemory): number | undefined {
  const libc = mayShare() ? findLibC() : undefined
  if (libc === undefined) return undefined
  try {
    const path = `/proc/${processId}/fd/${descriptor}`
    const isIt = (link: string): boolean => fs.readlinkSync(link) === `/memfd:${name} (deleted)`
    if (!isIt(path)) return undefined
    const fd = fs.openSync(path, fs.constants.O_RDONLY)
    // By now it may have been another file's place.
    if (isIt(`/proc/self/fd/${fd}`) && fs.fstatSync(fd).uid === process.getuid?.() && libc.isSealed(fd)) return fd
    fs.closeSync(fd)
  } catch {
    // Another host, another user, another container: all the same.
  }
  return undefined
}
