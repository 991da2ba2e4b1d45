/** How a supervised process ended. */
export interface PredecessorEnd {
  readonly id: string
  /** Nothing when a signal ended it. */
  readonly exitCode?: number
  readonly signal?: string
  /** Its resident memory and the limit, when the supervisor ended it for that. */
  readonly memory?: { readonly bytes: number; readonly limitBytes: number }
}

/** What a supervisor tells a process that it starts. */
export interface Supervised {
  readonly id: string
  /** In whose place the process is started, and how that one ended. */
  readonly predecessor?: PredecessorEnd
}

/** The variables that say it. */
export function supervisedEnv({ id, predecessor }: Supervised): Record<string, string> {
  return { COSTATE_ID: id, COSTATE_PREDECESSOR: predecessor ? JSON.stringify(predecessor) : '' }
}

/** What this process's supervisor told it; nothing when it has none. */
export function readSupervised(env: NodeJS.ProcessEnv): Supervised | undefined {
  const { COSTATE_ID: id = '', COSTATE_PREDECESSOR: text = '' } = env
  if (id === '') return undefined
  return text === '' ? { id } : { id, predecessor: JSON.parse(text) as PredecessorEnd }
}
