import { type Digest, isLive, partsOf, type State } from './state.js'

/** What must be true after every event. Throws on what is not; called by tests and always by the simulator. */
export function checkInvariants(state: State): void {
  const references = new Map<Digest, number>()
  for (const { name, versions } of state.checkpoints.values()) {
    check(versions.length > 0, `checkpoint ${name} has no version`)
    check(versions.length <= state.policy.keepVersions, `checkpoint ${name} has ${versions.length} versions`)
    versions.forEach((version, i) => {
      check(i === 0 || version.version > versions[i - 1]!.version, `the versions of ${name} do not ascend`)
      for (const { digest } of partsOf(version)) references.set(digest, (references.get(digest) ?? 0) + 1)
    })
  }
  const readers = new Map<Digest, number>()
  for (const digest of [...state.gets.values()].flat()) readers.set(digest, (readers.get(digest) ?? 0) + 1)
  let liveBytes = 0
  for (const blob of state.blobs.values()) {
    check(blob.references === (references.get(blob.digest) ?? 0), `blob ${blob.digest} counts its references wrongly`)
    check(blob.readers === (readers.get(blob.digest) ?? 0), `blob ${blob.digest} counts its readers wrongly`)
    if (isLive(blob)) liveBytes += blob.byteLength
  }
  for (const digest of [...references.keys(), ...readers.keys()]) {
    check(state.blobs.has(digest), `blob ${digest} is needed and unknown`)
  }
  check(liveBytes === state.liveBytes, `${liveBytes} bytes are live, not ${state.liveBytes}`)
  const reservedBytes = [...state.puts.values()].reduce((sum, byteLength) => sum + byteLength, 0)
  check(reservedBytes === state.reservedBytes, `${reservedBytes} bytes are reserved, not ${state.reservedBytes}`)
  const sorted = [...state.checkpoints.keys()].sort()
  check(
    sorted.length === state.names.length && sorted.every((name, i) => name === state.names[i]),
    'names are out of order',
  )
  check(state.requests.size <= state.policy.rememberRequests, `${state.requests.size} requests are remembered`)
}

function check(holds: boolean, complaint: string): void {
  if (!holds) throw new Error(complaint)
}
