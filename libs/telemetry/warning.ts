const said = new Set<string>()

/**
 * Says once per process that telemetry has a problem, where the user sees it and nothing depends on it. `cause` is what was
 * caught; the same problem with another cause is not said again.
 */
export function warnOnce(problem: string, cause?: unknown): void {
  if (said.has(problem)) return
  said.add(problem)
  process.emitWarning(cause === undefined ? problem : `${problem} (${textOf(cause)})`, {
    type: 'CostateTelemetryWarning',
    code: 'COSTATE_TELEMETRY',
  })
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
