import { realpathSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'

/**
 * Runs `program` when the module is the one that the process was started with, and not when it is imported or runs inside a
 * bundle: a file can hold tasks and the program that submits them.
 *
 *     main(import.meta, async () => { … })
 *
 * When the program fails, the error and its causes go to stderr and the exit code becomes 1.
 */
export function main(meta: ImportMeta, program: () => Promise<void> | void): void {
  if (!isMainThread || !isEntryPoint(meta.url, process.argv[1])) return
  // The call comes in the middle of the module: what the module declares below it must exist before the program runs.
  setImmediate(() => void runProgram(program))
}

async function runProgram(program: () => Promise<void> | void): Promise<void> {
  try {
    await program()
  } catch (error) {
    console.error(error)
    if (process.exitCode === undefined || process.exitCode === 0) process.exitCode = 1
  }
}

/**
 * Whether the module at the URL is the script at the path. Both are followed through symlinks (a bin in node_modules is one);
 * loaders add queries to URLs; `node dist/main` and `tsx main` leave the extension away; drive letters come in both cases.
 */
export function isEntryPoint(
  moduleUrl: string,
  scriptPath: string | undefined,
  { windows = process.platform === 'win32', realpath = resolveRealPath } = {},
): boolean {
  if (scriptPath === undefined || !moduleUrl.startsWith('file:')) return false
  const plainUrl = new URL(moduleUrl)
  plainUrl.search = ''
  plainUrl.hash = ''
  const modulePath = realpath(fileURLToPath(plainUrl, { windows }))
  const candidates = [scriptPath, `${scriptPath}${extname(modulePath)}`].map(realpath)
  const fold = (path: string): string => (windows ? path.replaceAll('/', '\\').toLowerCase() : path)
  return candidates.some((candidate) => fold(candidate) === fold(modulePath))
}

function resolveRealPath(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    return path
  }
}
