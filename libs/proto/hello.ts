import { createRequire } from 'node:module'

import type { Hello } from './gen/costate/types/v1/hello.js'

/** Raised when a change of the protocol breaks older ends. */
export const protocolVersion = 1

/** The version of this package, as its package.json says. */
export const packageVersion: string = (createRequire(import.meta.url)('costate/package.json') as { version: string })
  .version

/** What this end says first on a long stream. */
export function makeHello(): Hello {
  return { protocolVersion, packageVersion }
}

/**
 * Says why the two ends cannot speak with each other and which of them to upgrade, or nothing when they can.
 * `self` and `peer` name the ends for people, such as `scheduler` and `worker w-17`.
 */
export function checkHello(hello: Hello | undefined, self: string, peer: string): string | undefined {
  const theirs = hello?.protocolVersion ?? 0
  if (theirs === protocolVersion) return undefined
  const older = theirs < protocolVersion ? peer : self
  return (
    `${self} speaks protocol ${protocolVersion} (costate ${packageVersion}), ${peer} speaks protocol ${theirs} ` +
    `(costate ${hello?.packageVersion || 'unknown'}): upgrade ${older}`
  )
}
