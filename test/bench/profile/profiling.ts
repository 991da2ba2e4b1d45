import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/**
 * Turns CPU profiles on in every process that is started from now on, when the environment variable PROFILE names what to profile:
 * `all`, or some of `client scheduler worker supervisor checkpoint-store`.
 *
 * @returns the folder that gets the profiles, emptied, or nothing when none are wanted.
 */
export async function profileIfAsked(root: URL): Promise<string | undefined> {
  const { env } = process
  const wanted = env['PROFILE']
  if (wanted === undefined || wanted === '') return undefined
  const directory = fileURLToPath(new URL('.costate/bench/profiles/', root))
  await rm(directory, { recursive: true, force: true })
  const preload = new URL('./preload.mjs', import.meta.url).href
  env['COSTATE_PROFILE'] = wanted
  env['COSTATE_PROFILE_DIR'] = directory
  env['NODE_OPTIONS'] = [env['NODE_OPTIONS'] ?? '', `--import=${preload}`].join(' ').trim()
  return directory
}
