import { chunksOf, chunksOfVersion, type ChunkRef, type Digest, type State } from './state.js'

/** What must be true after every event. Throws on what is not; called by tests and always by the simulator. */
export function checkInvariants(state: State): void {
  const references = new Map<Digest, number>()
  const count = (chunks: readonly ChunkRef[]): void => {
    for (const { digest } of chunks) references.set(digest, (references.get(digest) ?? 0) + 1)
  }
  for (const { name, versions } of state.checkpoints.values()) {
    check(versions.length > 0, `checkpoint ${name} has no version`)
    versions.forEach((version, i) => {
      check(i === 0 || version.version > versions[i - 1]!.version, `the versions of ${name} do not ascend`)
      check(i === 0 || !isOvertaken(version.writerToken, versions[i - 1]!.writerToken), `${name} was saved by a zombie`)
      count(chunksOfVersion(version))
    })
  }
  for (const { body, isClaimed } of state.blobs.values()) {
    count(chunksOf(body))
    check(!isClaimed || state.claims.has(body.digest), `blob ${body.digest} is kept for nobody`)
  }
  for (const [digest, { size }] of state.claims) {
    check(size > 0 && state.blobs.has(digest), `blob ${digest} is kept for somebody, and is not here`)
  }
  const pins = new Map<Digest, number>()
  for (const digest of [...state.pins.values()].flat()) pins.set(digest, (pins.get(digest) ?? 0) + 1)
  let liveBytes = 0
  for (const chunk of state.chunks.values()) {
    check(
      chunk.references === (references.get(chunk.digest) ?? 0),
      `chunk ${chunk.digest} counts its references wrongly`,
    )
    check(chunk.pins === (pins.get(chunk.digest) ?? 0), `chunk ${chunk.digest} counts its pins wrongly`)
    if (chunk.references > 0) liveBytes += chunk.byteLength
  }
  for (const digest of [...references.keys(), ...pins.keys()]) {
    check(state.chunks.has(digest), `chunk ${digest} is needed and unknown`)
  }
  check(liveBytes === state.liveBytes, `${liveBytes} bytes are live, not ${state.liveBytes}`)
  const reservedBytes = [...state.puts.values()].reduce((sum, byteLength) => sum + byteLength, 0)
  check(reservedBytes === state.reservedBytes, `${reservedBytes} bytes are reserved, not ${state.reservedBytes}`)
  const sorted = [...state.checkpoints.keys()].sort()
  check(
    sorted.length === state.names.length && sorted.every((name, i) => name === state.names[i]),
    'names are out of order',
  )
  check(state.lastToken <= state.reservedTokens, `token ${state.lastToken} was given out without being remembered`)
  for (const { token } of state.leases.values())
    check(token <= state.reservedTokens, `lease ${token} is from the future`)
  const shelved = state.shelves.reduce((sum, { requestIds }) => sum + requestIds.length, 0)
  check(state.requests.size === shelved, `${state.requests.size} requests are remembered, ${shelved} are on shelves`)
  check(state.requests.size <= state.policy.rememberRequests, `${state.requests.size} requests are remembered`)
}

/** A save without a lease may come at any time; among those with one, tokens only grow. */
function isOvertaken(token: number, before: number): boolean {
  return token !== 0 && token < before
}

function check(holds: boolean, complaint: string): void {
  if (!holds) throw new Error(complaint)
}
