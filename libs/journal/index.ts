export type { Journal } from './journal.js'
export { createMemoryJournal } from './memory-journal.js'
