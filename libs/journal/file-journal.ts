import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import path from 'node:path'

import { prepareFile, publishFile, temporaryNameOf, writeFully } from './durable-file.js'
import { JournalCorruptError } from './journal-error.js'
import type { CompactingJournal, FactCodec } from './journal.js'
import { encodeRecord, factsOf, RecordReader } from './record.js'

export interface FileJournalOptions<Fact> {
  /** The file; its folder is made when it is missing. One process at a time may have it open. */
  readonly file: string
  readonly codec: FactCodec<Fact>
  /** Hears of what was repaired at opening. */
  readonly onWarning: (message: string) => void
}

const fileHeader = Buffer.from('costate journal 1\n')
/** A snapshot is written in records of about this size, so that no replay needs much memory. */
const snapshotRecordBytes = 2 ** 20

/**
 * Opens an append-only journal in one file, every flush a checksummed record. Appends that come while a flush runs share
 * the next one (group commit). A torn record at the end is what a crash leaves of a flush that was never acknowledged: it
 * is cut off with a warning. Damage with whole records behind it is more than that and is refused.
 *
 * After a failed write or fsync every append rejects: what the disk then holds is unknown, and a second fsync may lie
 * (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020). Only a replay tells.
 *
 * @throws JournalCorruptError when the file is no journal or acknowledged facts are damaged.
 */
export async function openFileJournal<Fact>(options: FileJournalOptions<Fact>): Promise<CompactingJournal<Fact>> {
  await mkdir(path.dirname(options.file), { recursive: true })
  await rm(temporaryNameOf(options.file), { force: true })
  const existing = await openExisting(options.file)
  if (existing === undefined) {
    const { file, byteLength } = await prepareFile(options.file, (made) => writeSnapshot(made, []))
    await publishFile(options.file)
    return new FileJournal(options, file, byteLength, 0)
  }
  try {
    const { end, factCount } = await checkRecords(existing, options)
    return new FileJournal(options, existing, end, factCount)
  } catch (error) {
    await existing.close()
    throw error
  }
}

interface WaitingAppend {
  readonly facts: readonly Uint8Array[]
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

class FileJournal<Fact> implements CompactingJournal<Fact> {
  readonly durability = 'fsynced'
  readonly #options: FileJournalOptions<Fact>
  #file: FileHandle
  #end: number
  #factCount: number
  /** The appends that the next flush takes, until it starts. */
  #group: WaitingAppend[] | undefined
  #broken: Error | undefined
  /** What is done to the file, one after the other. */
  #work: Promise<void> = Promise.resolve()

  constructor(options: FileJournalOptions<Fact>, file: FileHandle, end: number, factCount: number) {
    this.#options = options
    this.#file = file
    this.#end = end
    this.#factCount = factCount
  }

  get factCount(): number {
    return this.#factCount
  }

  async append(facts: readonly Fact[]): Promise<void> {
    if (facts.length === 0) return
    const encoded = facts.map((fact) => this.#options.codec.encode(fact))
    await new Promise<void>((resolve, reject) => {
      const waiting = { facts: encoded, resolve, reject }
      if (this.#group !== undefined) {
        this.#group.push(waiting)
        return
      }
      const group = [waiting]
      this.#group = group
      this.#work = this.#work.then(() => this.#flush(group))
    })
  }

  async *replay(): AsyncGenerator<Fact, void> {
    const reader = new RecordReader(this.#file, this.#end)
    for (let offset = fileHeader.byteLength; ;) {
      const record = await reader.read(offset)
      if (record === undefined) return
      for (const fact of factsOf(record.payload)) yield this.#options.codec.decode(fact)
      offset = record.next
    }
  }

  async compact(facts: Iterable<Fact>): Promise<void> {
    // What is appended from now on is not among `facts` and must come behind them.
    this.#group = undefined
    const compacting = this.#work.then(() => this.#replace(facts))
    this.#work = compacting.catch(() => undefined)
    await compacting
  }

  async close(): Promise<void> {
    await this.#work
    this.#broken ??= new Error(`${this.#options.file} is closed`)
    await this.#file.close()
  }

  async #flush(appends: WaitingAppend[]): Promise<void> {
    if (this.#group === appends) this.#group = undefined
    const facts = appends.flatMap((append) => append.facts)
    try {
      if (this.#broken) throw this.#broken
      // One record per flush: a crash leaves all of it or none, and never a whole record behind a torn one.
      const record = encodeRecord(facts)
      await writeFully(this.#file, record, this.#end)
      await this.#file.datasync()
      this.#end += record.byteLength
      this.#factCount += facts.length
      for (const { resolve } of appends) resolve()
    } catch (error) {
      const broken = this.#broken ?? this.#failure(error)
      this.#broken = broken
      for (const { reject } of appends) reject(broken)
    }
  }

  async #replace(facts: Iterable<Fact>): Promise<void> {
    if (this.#broken) throw this.#broken
    let factCount = 0
    const encode = this.#options.codec.encode.bind(this.#options.codec)
    const encoded = (function* (): Generator<Uint8Array> {
      for (const fact of facts) {
        factCount++
        yield encode(fact)
      }
    })()
    const { file, byteLength } = await prepareFile(this.#options.file, (made) => writeSnapshot(made, encoded))
    const old = this.#file
    this.#file = file
    this.#end = byteLength
    this.#factCount = factCount
    await old.close()
    try {
      await publishFile(this.#options.file)
    } catch (error) {
      this.#broken = this.#failure(error)
      throw this.#broken
    }
  }

  #failure(cause: unknown): Error {
    return new Error(`${this.#options.file} could not be written: ${(cause as Error).message}`, { cause })
  }
}

async function openExisting(name: string): Promise<FileHandle | undefined> {
  try {
    return await open(name, 'r+')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function writeSnapshot(file: FileHandle, facts: Iterable<Uint8Array>): Promise<number> {
  await writeFully(file, fileHeader, 0)
  let end = fileHeader.byteLength
  let gathered: Uint8Array[] = []
  let gatheredBytes = 0
  const writeGathered = async (): Promise<void> => {
    const record = encodeRecord(gathered)
    await writeFully(file, record, end)
    end += record.byteLength
    gathered = []
    gatheredBytes = 0
  }
  for (const fact of facts) {
    gathered.push(fact)
    gatheredBytes += fact.byteLength
    if (gatheredBytes >= snapshotRecordBytes) await writeGathered()
  }
  if (gathered.length > 0) await writeGathered()
  return end
}

/** Reads through everything once, cuts a torn end off, and says where the next record goes. */
async function checkRecords<Fact>(
  file: FileHandle,
  { file: name, onWarning }: FileJournalOptions<Fact>,
): Promise<{ end: number; factCount: number }> {
  const { size } = await file.stat()
  const header = Buffer.alloc(fileHeader.byteLength)
  await file.read(header, 0, header.byteLength, 0)
  if (!header.equals(fileHeader)) {
    throw new JournalCorruptError(
      `${name} is no journal of this version of costate: use the version that wrote it, or another folder`,
    )
  }
  const reader = new RecordReader(file, size)
  let end = fileHeader.byteLength
  let factCount = 0
  for (let record = await reader.read(end); record !== undefined; record = await reader.read(end)) {
    factCount += factsOf(record.payload).length
    end = record.next
  }
  if (end === size) return { end, factCount }
  const behind = await reader.find(end + 1)
  if (behind !== undefined) {
    throw new JournalCorruptError(
      `${name}: the record at byte ${end} is damaged, and there are whole ones behind it (at byte ${behind}), so facts ` +
        'that had been acknowledged are lost. Check the disk and restore the file from a copy, or start with an empty folder',
    )
  }
  onWarning(
    `${name}: cut off ${size - end} bytes behind byte ${end}: a flush that was interrupted before it was acknowledged`,
  )
  await file.truncate(end)
  await file.sync()
  return { end, factCount }
}
