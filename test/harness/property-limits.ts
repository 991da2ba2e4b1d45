import { configureGlobal } from 'fast-check'

// A counterexample of a long history may be made smaller for a quarter of an hour: after this it is shown as it is.
configureGlobal({ interruptAfterTimeLimit: 30_000 })
