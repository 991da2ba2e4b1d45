import { isParked, keyOf, type State } from './state.js'

/** What must be true after every event. Throws on what is not. */
export function checkInvariants(state: State): void {
  for (const [slot, line] of state.lines.entries()) {
    for (const key of line) {
      const status = state.attempts.get(key)?.status
      if (!status || !('slot' in status) || status.slot !== slot)
        throw new Error(`${key} is in the line of slot ${slot} wrongly`)
    }
  }
  for (const [key, { status }] of state.attempts) {
    if ('slot' in status && !state.lines[status.slot]?.includes(key)) throw new Error(`${key} is in no line`)
    if (status.kind === 'resuming' && !state.resuming.includes(key)) throw new Error(`${key} goes on nowhere`)
    if (status.kind === 'ready' && !state.ready.includes(key) && !state.awaitingDevices.includes(key))
      throw new Error(`${key} is ready, but nobody knows`)
    if (status.kind === 'following' && state.ready.includes(key)) throw new Error(`${key} follows, and is ready`)
    if (state.unacknowledged.has(key)) throw new Error(`${key} has ended and goes on`)
  }
  for (const [key, followers] of state.followers) {
    if (!state.attempts.has(key)) throw new Error(`${key} is over, and ${followers.join(', ')} wait for it`)
  }
  for (const [key, { status, missing = [] }] of state.attempts) {
    if (status.kind === 'following' && missing.length === 0) throw new Error(`${key} waits for nothing`)
    for (const ref of missing) {
      const input = state.attempts.get(keyOf(ref))
      if (input && !state.followers.get(keyOf(ref))?.includes(key))
        throw new Error(`${key} is not heard of by its input`)
    }
  }
  const taken = [...state.attempts.values()].flatMap(({ devices }) => devices ?? [])
  const devices = [...taken, ...state.freeDevices]
  if (new Set(devices).size !== devices.length) throw new Error('a device has two owners')
  for (const [key, { order, status, devices: own }] of state.attempts) {
    const begun = 'slot' in status || isParked(status)
    if (begun && (own?.length ?? 0) !== (order.gpus ?? 0)) throw new Error(`${key} runs without its devices`)
  }
  if (state.left && (state.attempts.size > 0 || !state.draining)) throw new Error('the worker left its work behind')
}
