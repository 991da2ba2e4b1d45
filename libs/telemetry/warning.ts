const said = new Set<string>()

/** Says once per process that telemetry has a problem, where the user sees it and nothing depends on it. */
export function warnOnce(message: string): void {
  if (said.has(message)) return
  said.add(message)
  process.emitWarning(message, { type: 'CostateTelemetryWarning', code: 'COSTATE_TELEMETRY' })
}
