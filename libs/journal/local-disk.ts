import { statfs } from 'node:fs/promises'

import { JournalRefusedError } from './journal-error.js'

/** File systems on which locks or fsync do not hold what a store needs, by their magic numbers on Linux. */
const sharedKinds: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
])

/** What `statfs` says of a folder; tests say it in its place. */
export type FileSystemOf = (folder: string) => Promise<{ readonly type: number }>

/** The kind of file system that several machines share on which the folder is, such as `NFS`; nothing on a local disk. */
export async function sharedDiskOf(folder: string, fileSystemOf: FileSystemOf = statfs): Promise<string | undefined> {
  return process.platform === 'linux' ? sharedKinds.get((await fileSystemOf(folder)).type) : undefined
}

/** Throws a JournalRefusedError when the folder is on a file system that several machines share. */
export async function refuseSharedDisk(folder: string, fileSystemOf: FileSystemOf = statfs): Promise<void> {
  const kind = await sharedDiskOf(folder, fileSystemOf)
  if (kind === undefined) return
  throw new JournalRefusedError(
    `${folder} is on ${kind}, where locks and fsync cannot be trusted: give a folder on a local disk`,
  )
}
