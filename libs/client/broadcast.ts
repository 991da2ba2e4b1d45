import { Status } from 'nice-grpc-common'

import { ancestorsOf, noSource, planRelays, TransferError } from '#libs/transfer'

/** A worker that is to have an object. */
export interface BroadcastTarget {
  readonly id: string
  readonly host: string
  readonly addresses: readonly string[]
}

/**
 * Has the target get the object from the first of the sources that delivers it, which may still be receiving it themselves;
 * without sources, from where it is at the beginning. Rejects with a TransferError.
 */
export type Give = (target: BroadcastTarget, sources: readonly BroadcastTarget[]) => Promise<unknown>

/** How often those are told anew whose sources all died. */
const mostRounds = 8

/**
 * Brings an object to many workers along a tree, in which each passes it on while it comes. Who dies is left out, and those to
 * whom it passed on get it from whom it came from, or from another that has it. Resolves with who has it: at least one.
 *
 * @throws TransferError when none has it, and as a worker refused it.
 */
export async function broadcast(
  targets: readonly BroadcastTarget[],
  { byteLength, fromHost }: { readonly byteLength: number; readonly fromHost?: string },
  give: Give,
): Promise<BroadcastTarget[]> {
  const held: BroadcastTarget[] = []
  let failure: unknown
  // Neighbours on one host pass it on there, and where it comes from is first: it crosses each link once.
  const rank = ({ host }: BroadcastTarget): number => (host === fromHost ? 0 : 1)
  const order = (a: BroadcastTarget, b: BroadcastTarget): number =>
    rank(a) - rank(b) || compare(a.host, b.host) || compare(a.id, b.id)
  let open: readonly BroadcastTarget[] = [...targets].sort(order)
  for (let round = 0; open.length > 0 && round < mostRounds; round++) {
    const row = open
    const parents = planRelays(byteLength, row.length)
    const known = [...held]
    const sourcesOf = (index: number): BroadcastTarget[] => [
      ...ancestorsOf(parents, index).flatMap((ancestor) => row[ancestor] ?? []),
      ...turned(known, index),
    ]
    const given = await Promise.allSettled(row.map((target, index) => give(target, sourcesOf(index))))
    open = row.filter((target, index) => {
      const outcome = given[index]
      if (outcome?.status === 'fulfilled') held.push(target)
      else failure = outcome?.reason
      return outcome?.status === 'rejected' && isWithoutSource(outcome.reason)
    })
    for (const outcome of given)
      if (outcome.status === 'rejected' && !isGone(outcome.reason)) throw outcome.reason as Error
  }
  if (held.length === 0) throw failure as Error
  return held
}

/** So that not all ask the same one. */
function turned<Item>(items: readonly Item[], by: number): Item[] {
  const start = items.length === 0 ? 0 : by % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}

function isGone(error: unknown): boolean {
  return error instanceof TransferError && error.code === Status.UNAVAILABLE
}

/** It is there itself. */
function isWithoutSource(error: unknown): boolean {
  return isGone(error) && (error as TransferError).reason === noSource
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
