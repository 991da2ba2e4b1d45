import { mkdir } from 'node:fs/promises'
import path from 'node:path'

import { ClassicLevel } from 'classic-level'

import { AcknowledgedMark } from './acknowledged-mark.js'
import { batchesOf, type WriteBatch } from './flush-batches.js'
import { JournalLockedError } from './journal-error.js'
import type { Journal, SubjectCodec } from './journal.js'
import { type FileSystemOf, refuseSharedDisk } from './local-disk.js'
import { type CheckedStore, checkStore, refuse } from './subject-check.js'
import type { Obsolete, SubjectIndex } from './subject-index.js'
import { decodeSubjectRecord, numbersIn, recordKey } from './subject-record.js'

type Store = ClassicLevel<Buffer, Buffer>

export interface LevelJournalOptions<Fact> {
  /** The folder; made when it is missing. One process at a time may have it open. */
  readonly folder: string
  readonly codec: SubjectCodec<Fact>
  /** Hears of what was repaired at opening, and of room that could not be given back. */
  readonly onWarning: (message: string) => void
  /** Use a folder on NFS, Lustre or SMB all the same. */
  readonly force?: boolean
  readonly fileSystemOf?: FileSystemOf
}

/** What is read at once when everything is read. */
const readBatch = 256
const readAheadBytes = 2 ** 20
const writeBufferBytes = 8 * 2 ** 20
/** More records of a subject are deleted as a range, fewer by their keys: those of many subjects in one batch then. */
const mostKeys = 64
/** How many keys are deleted at once. */
const keysAtOnce = 10_000
/** More deletes than this do not hold a flush up. */
const mostKeysOfFlush = 1_000
/** Less than this is not worth a compaction. */
const compactBytes = 8 * 2 ** 20

/**
 * Opens a journal in a LevelDB: one record per flush and subject, so that forgetting a subject deletes its records and
 * nothing else, and what there is to read and to store is what is known, not what has ever happened. Appends that come
 * while a flush runs share the next one (group commit); a flush that fails ends the journal for good.
 *
 * @throws JournalCorruptError when acknowledged facts are missing or damaged; JournalLockedError when another process has
 *   it open; JournalRefusedError on a file system where a store is not safe.
 */
export async function openLevelJournal<Fact>(options: LevelJournalOptions<Fact>): Promise<Journal<Fact>> {
  const { folder, force, fileSystemOf, onWarning } = options
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (!force) await refuseSharedDisk(folder, fileSystemOf)
  const store = await openStore(folder)
  let mark: AcknowledgedMark | undefined
  try {
    mark = await AcknowledgedMark.open(folder)
    const checked = await readingFrom(folder, checkStore(folder, entriesOf(store), mark.flush))
    if (checked.uncommitted.length > 0) {
      onWarning(`${folder}: dropped ${checked.uncommitted.length} records of a flush that was never acknowledged`)
      const dels = checked.uncommitted.map((key) => ({ type: 'del', key }) as const)
      await store.batch(dels, { sync: true })
    }
    return new LevelJournal(options, store, mark, checked)
  } catch (error) {
    await mark?.close()
    await store.close()
    throw error
  }
}

interface WaitingAppend<Fact> {
  readonly facts: readonly Fact[]
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

class LevelJournal<Fact> implements Journal<Fact> {
  readonly durability = 'fsynced'
  readonly #options: LevelJournalOptions<Fact>
  readonly #store: Store
  readonly #mark: AcknowledgedMark
  readonly #index: SubjectIndex
  #flushed: number
  #waiting: WaitingAppend<Fact>[] = []
  #flushing: Promise<void> | undefined
  #deleting: Promise<void> = Promise.resolve()
  #waitingDeletes = 0
  /** What was deleted since the store was compacted. */
  #deletedBytes = 0
  #deletes = true
  #broken: Error | undefined

  constructor(options: LevelJournalOptions<Fact>, store: Store, mark: AcknowledgedMark, checked: CheckedStore) {
    this.#options = options
    this.#store = store
    this.#mark = mark
    this.#index = checked.index
    this.#flushed = checked.head.flush
    this.#delete(checked.obsolete)
  }

  append(facts: readonly Fact[]): Promise<void> {
    if (this.#broken) return Promise.reject(this.#broken)
    if (facts.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ facts: [...facts], resolve, reject })
      this.#flushing ??= this.#flushAll()
    })
  }

  async *replay(): AsyncGenerator<Fact, void> {
    const { folder, codec } = this.#options
    for await (const batch of entriesOf(this.#store)) {
      for (const [key, value] of batch) {
        const numbers = numbersIn(key)
        if (numbers === undefined || !this.#index.isLive(numbers.subjectNumber, numbers.recordNumber)) continue
        const record = decodeSubjectRecord(key, value) ?? refuse(folder, `the record ${key.toString('hex')} is damaged`)
        for (const fact of record.facts) yield codec.decode(fact)
      }
    }
  }

  async close(): Promise<void> {
    await this.#flushing
    this.#broken ??= new Error(`the journal in ${this.#options.folder} is closed`)
    await this.#deleting
    await this.#mark.close()
    await this.#store.close()
  }

  async #flushAll(): Promise<void> {
    // What is appended in the same turn is flushed at once.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const appends = this.#waiting
      this.#waiting = []
      try {
        if (this.#broken) throw this.#broken
        await this.#flush(appends)
        for (const { resolve } of appends) resolve()
      } catch (error) {
        this.#broken ??= new Error(
          `the journal in ${this.#options.folder} could not be written: ${reasonOf(error)}. ` +
            'Look after the disk that holds it, and start again: what was acknowledged is there',
          { cause: error },
        )
        for (const { reject } of appends) reject(this.#broken)
      }
    }
    this.#flushing = undefined
  }

  async #flush(appends: readonly WaitingAppend<Fact>[]): Promise<void> {
    const flush = this.#flushed + 1
    const obsolete: Obsolete[] = []
    for (const batch of batchesOf(factsIn(appends), flush, this.#options.codec, this.#index)) {
      // LevelDB may begin a new log in between, and syncs only the one that it writes to: each batch is synced.
      const write = this.#store.batch()
      const takesDeletes = obsolete.length === 0 && this.#takesDeletes(batch)
      for (const { key, value, ended } of batch.puts) if (!(ended && takesDeletes)) write.put(key, value)
      if (takesDeletes) for (const each of batch.obsolete) this.#deleteKeys(write, each)
      else obsolete.push(...batch.obsolete)
      await write.write({ sync: true })
    }
    this.#flushed = flush
    this.#mark.set(flush)
    this.#delete(obsolete)
  }

  /**
   * Whether a flush takes its deletes along: the end of a subject then needs no record, because its records go with the flush or
   * not at all. Only when the flush is one batch, and no records wait to be deleted that an end must not go before.
   */
  #takesDeletes({ isWhole, obsolete }: WriteBatch): boolean {
    if (!isWhole || !this.#deletes || this.#waitingDeletes > 0) return false
    return obsolete.reduce((sum, { from, before }) => sum + before - from, 0) <= mostKeysOfFlush
  }

  /** Gives room back, beside the flushes: a crash leaves what the next opening finds again. */
  #delete(obsolete: readonly Obsolete[]): void {
    if (obsolete.length === 0 && this.#deletedBytes <= this.#compactionDueBytes()) return
    this.#waitingDeletes++
    this.#deleting = this.#deleting.then(async () => {
      // The end of a subject must not go before what it ends: behind a failure nothing is deleted until the next opening.
      if (!this.#deletes) return
      try {
        await this.#deleteAll(obsolete)
        // LevelDB by itself compacts what is written to: what is only deleted would stay for long. Each compaction rewrites
        // what is left, so it waits until as much is to be had.
        if (this.#deletedBytes > this.#compactionDueBytes()) {
          this.#deletedBytes = 0
          await this.#store.compactRange(recordKey(0, 0), recordKey(2 ** 48 - 1, 0))
        }
      } catch (error) {
        this.#deletes = false
        this.#options.onWarning(`${this.#options.folder}: no room was given back: ${reasonOf(error)}`)
      } finally {
        this.#waitingDeletes--
      }
    })
  }

  #compactionDueBytes(): number {
    return Math.max(compactBytes, this.#index.bytes)
  }

  /** In the order of the flushes, also across a crash. */
  async #deleteAll(obsolete: readonly Obsolete[]): Promise<void> {
    let batch = this.#store.batch()
    for (const each of obsolete) {
      const { subjectNumber, from, before, bytes } = each
      const isRange = before - from > mostKeys
      if (isRange || batch.length >= keysAtOnce) {
        await batch.write()
        batch = this.#store.batch()
      }
      if (isRange) {
        await this.#store.clear({ gte: recordKey(subjectNumber, from), lt: recordKey(subjectNumber, before) })
        this.#deletedBytes += bytes
      } else this.#deleteKeys(batch, each)
    }
    await batch.write()
  }

  #deleteKeys(batch: ReturnType<Store['batch']>, { subjectNumber, from, before, bytes }: Obsolete): void {
    for (let record = from; record < before; record++) batch.del(recordKey(subjectNumber, record))
    this.#deletedBytes += bytes
  }
}

function* factsIn<Fact>(appends: readonly WaitingAppend<Fact>[]): Generator<Fact> {
  for (const { facts } of appends) yield* facts
}

async function openStore(folder: string): Promise<Store> {
  const store: Store = new ClassicLevel(path.join(folder, 'level'), {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    writeBufferSize: writeBufferBytes,
  })
  try {
    await readingFrom(folder, store.open())
    return store
  } catch (error) {
    if ((error as { cause?: { code?: string } }).cause?.code === 'LEVEL_LOCKED') {
      const message = `the journal in ${folder} is in use by another process: end it, or give another data folder`
      throw new JournalLockedError(message, { cause: error })
    }
    throw error
  }
}

/** Everything in the order of the keys. */
async function* entriesOf(store: Store): AsyncGenerator<[Buffer, Buffer][]> {
  const iterator = store.iterator({ highWaterMarkBytes: readAheadBytes, fillCache: false })
  try {
    for (;;) {
      const batch = await iterator.nextv(readBatch)
      if (batch.length === 0) return
      yield batch
    }
  } finally {
    await iterator.close()
  }
}

/** What LevelDB itself found damaged, in our words. */
async function readingFrom<T>(folder: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const { code, cause } = error as { code?: string; cause?: { code?: string } }
    const reason = reasonOf(error)
    // A read behind the end of a file that was cut is an invalid argument.
    if ([code, cause?.code].includes('LEVEL_CORRUPTION') || reason.endsWith('Invalid argument')) refuse(folder, reason)
    throw error
  }
}

/** LevelDB's own words: they name the file. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? cause.message : message
}
