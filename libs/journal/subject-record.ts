import { crc32c } from '@node-rs/crc32'

// Key of a record: 'r', number of the subject (48 bits), number of the record in its subject (32 bits), both big-endian:
// keys sort by them. Value: CRC-32C of key and all that follows, flags, number of the flush (48 bits), the subject's name
// with its length before it (16 bits), and the facts, each with its length before it (32 bits); little-endian.
const keyBytes = 11
const recordPrefix = 0x72
const fixedBytes = 4 + 1 + 6 + 2
const anewFlag = 1
const endFlag = 2

/** What one flush says of one subject. */
export interface SubjectRecord {
  readonly subjectNumber: number
  readonly recordNumber: number
  readonly flush: number
  readonly name: string
  /** Earlier records of the subject no longer matter. */
  readonly anew: boolean
  /** Nothing is left of the subject. */
  readonly ended: boolean
  readonly facts: readonly Uint8Array[]
}

export function recordKey(subjectNumber: number, recordNumber: number): Buffer {
  const key = Buffer.allocUnsafe(keyBytes)
  key[0] = recordPrefix
  key.writeUIntBE(subjectNumber, 1, 6)
  key.writeUInt32BE(recordNumber, 7)
  return key
}

/** The numbers of the subject and of the record in a key; nothing when it is no record's. */
export function numbersIn(key: Buffer): { subjectNumber: number; recordNumber: number } | undefined {
  if (key.byteLength !== keyBytes || key[0] !== recordPrefix) return undefined
  return { subjectNumber: key.readUIntBE(1, 6), recordNumber: key.readUInt32BE(7) }
}

export function encodeSubjectRecord(
  key: Buffer,
  record: Omit<SubjectRecord, 'subjectNumber' | 'recordNumber'>,
): Buffer {
  const { name, flush, anew, ended, facts } = record
  const nameBytes = Buffer.byteLength(name)
  const factBytes = facts.reduce((sum, fact) => sum + 4 + fact.byteLength, 0)
  const value = Buffer.allocUnsafe(fixedBytes + nameBytes + factBytes)
  value[4] = (anew ? anewFlag : 0) | (ended ? endFlag : 0)
  value.writeUIntLE(flush, 5, 6)
  value.writeUInt16LE(nameBytes, 11)
  value.write(name, fixedBytes)
  let at = fixedBytes + nameBytes
  for (const fact of facts) {
    at = value.writeUInt32LE(fact.byteLength, at)
    value.set(fact, at)
    at += fact.byteLength
  }
  value.writeUInt32LE(checksum(key, value), 0)
  return value
}

/** The record; its facts are views of the value. Nothing when key or value are not what was written. */
export function decodeSubjectRecord(key: Buffer, value: Buffer): SubjectRecord | undefined {
  const numbers = numbersIn(key)
  if (numbers === undefined || value.byteLength < fixedBytes) return undefined
  if (checksum(key, value) !== value.readUInt32LE(0)) return undefined
  const flags = value[4] ?? 0
  const nameEnd = fixedBytes + value.readUInt16LE(11)
  const facts: Buffer[] = []
  for (let at = nameEnd; at < value.byteLength;) {
    const start = at + 4
    at = start + value.readUInt32LE(at)
    facts.push(value.subarray(start, at))
  }
  return {
    ...numbers,
    flush: value.readUIntLE(5, 6),
    name: value.toString('utf8', fixedBytes, nameEnd),
    anew: (flags & anewFlag) !== 0,
    ended: (flags & endFlag) !== 0,
    facts,
  }
}

/** What is true of the whole store after a flush; written with the flush's last batch, it is what commits the flush. */
export interface StoreHead {
  readonly flush: number
  /** How many records all subjects have, of those that matter. */
  readonly recordCount: number
}

export const headKey = Buffer.from('h')
const headBytes = 17
const formatVersion = 1

export function encodeHead({ flush, recordCount }: StoreHead): Buffer {
  const value = Buffer.allocUnsafe(headBytes)
  value[4] = formatVersion
  value.writeUIntLE(flush, 5, 6)
  value.writeUIntLE(recordCount, 11, 6)
  value.writeUInt32LE(checksum(headKey, value), 0)
  return value
}

/** Nothing when it is not what was written by this version. */
export function decodeHead(value: Buffer): StoreHead | undefined {
  if (value.byteLength !== headBytes || checksum(headKey, value) !== value.readUInt32LE(0)) return undefined
  if (value[4] !== formatVersion) return undefined
  return { flush: value.readUIntLE(5, 6), recordCount: value.readUIntLE(11, 6) }
}

function checksum(key: Buffer, value: Buffer): number {
  return crc32c(value.subarray(4), crc32c(key))
}
