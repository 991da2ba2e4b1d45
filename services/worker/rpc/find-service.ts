import { readAddress, waitForAddress } from '#libs/lifecycle'

/** How long a service may take to say where it listens. */
const rendezvousMs = 60_000

/** Where a service listens now: one that was started again may listen elsewhere. Waits until the mesh folder says it. */
export function findService(meshDir: string, stopped: AbortSignal): (service: string) => Promise<readonly string[]> {
  return async (service) => {
    const known = await readAddress(meshDir, service)
    if (known) return known.addresses
    const signal = AbortSignal.any([AbortSignal.timeout(rendezvousMs), stopped])
    return (await waitForAddress(meshDir, service, signal)).addresses
  }
}
