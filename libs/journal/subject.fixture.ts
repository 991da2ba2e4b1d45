import type { SubjectCodec } from './journal.js'

/** A fact of a test: `about: text`, `about= text` in the place of all before, `about!` for the end of it. */
export const textCodec: SubjectCodec<string> = {
  encode: (fact) => Buffer.from(fact),
  decode: (bytes) => Buffer.from(bytes).toString(),
  subjectOf: (fact) => {
    const at = fact.search(/[:=!]/)
    const does = fact[at] === '=' ? 'replaces' : fact[at] === '!' ? 'ends' : 'adds'
    return { name: fact.slice(0, at), does }
  },
}
