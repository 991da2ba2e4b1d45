import { expect, test } from 'vitest'

import { SlotMarks } from './slot-marks.js'

test('a slot is unread from when it was written until it was read, also when the counts come round', () => {
  const numbers = new Int32Array(1024).fill(2 ** 31 - 1)
  const marks = new SlotMarks(numbers)
  for (let round = 0; round < 3; round++) {
    expect(marks.isUnread(3)).toBe(false)
    marks.noteWritten(3)
    expect([marks.isUnread(2), marks.isUnread(3)]).toEqual([false, true])
    marks.noteRead(3)
  }
  // Given up before it was written: what is written after that nobody reads.
  marks.noteRead(3)
  marks.noteWritten(3)
  expect(marks.isUnread(3)).toBe(false)
})

test('each end sees whether the other one marks what it does', () => {
  const numbers = new Int32Array(1024)
  const [writer, reader] = [new SlotMarks(numbers), new SlotMarks(numbers)]
  expect([writer.hasReader, reader.hasWriter]).toEqual([false, false])
  writer.beginToWrite()
  reader.beginToRead()
  expect([writer.hasReader, reader.hasWriter]).toEqual([true, true])
})
