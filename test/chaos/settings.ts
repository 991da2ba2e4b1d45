/** How large a storm is. */
export interface Settings {
  readonly tasks: number
  /** How often the scheduler is killed. */
  readonly kills: number
  readonly workerKills: number
  readonly clientKills: number
  readonly seed: number
}

/** What is wrong with the variables that a storm was asked for with. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const kills = readCount(env, 'KILLS', 50)
  return {
    kills,
    tasks: readCount(env, 'TASKS', 10_000),
    workerKills: readCount(env, 'WORKER_KILLS', Math.ceil(kills / 10)),
    clientKills: readCount(env, 'CLIENT_KILLS', Math.ceil(kills / 20)),
    seed: readCount(env, 'SEED', 1),
  }
}

function readCount(env: NodeJS.ProcessEnv, name: string, usual: number): number {
  const text = env[name]
  if (text === undefined || text === '') return usual
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${name} is '${text}': give a whole number`)
  return Number(text)
}
