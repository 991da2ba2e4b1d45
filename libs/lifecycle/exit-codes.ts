/** What the exit code of a service says to whoever started it. */
export const exitCodes = {
  /** Ended in order: told to stop, drained, or its owner went away. */
  ok: 0,
  /** A bug: an assertion or an exception that nobody handled. A supervisor starts it again. */
  crashed: 1,
  /** Wrong flags, variables or files. Starting it again does not help. */
  misconfigured: 2,
  /** The address cannot be listened on. */
  addressInUse: 3,
  /** The supervisor ended it at its memory limit. */
  outOfMemory: 4,
  /** The peer that it cannot work without refused it (wrong secret, wrong version). Starting it again does not help. */
  refused: 5,
} as const
