import { configureGlobal, interruptAfterTimeLimit } from 'fast-check'

// A counterexample of a long history may be made smaller for a quarter of an hour: after this it is shown as it is.
configureGlobal({ plugins: [interruptAfterTimeLimit(30_000)] })
