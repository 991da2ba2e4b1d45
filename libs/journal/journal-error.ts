/** Acknowledged facts are lost or unreadable. Starting again does not help; the message says what to do. */
export class JournalCorruptError extends Error {
  override readonly name = 'JournalCorruptError'
}

/** The folder cannot hold a journal as it is: the message says why. */
export class JournalRefusedError extends Error {
  override readonly name = 'JournalRefusedError'
}

/** Another process has the journal open. */
export class JournalLockedError extends Error {
  override readonly name = 'JournalLockedError'
}
