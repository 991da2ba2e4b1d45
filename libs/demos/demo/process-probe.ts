import { spawn } from 'node:child_process'

/**
 * Whether this system lets a program start processes. Sandboxes and limits refuse that in two ways: at once, or with an event.
 * @returns nothing, or why not.
 */
export async function whyNoProcesses(): Promise<string | undefined> {
  return await new Promise((resolve) => {
    try {
      const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
      child.on('error', (error) => resolve(error.message))
      child.on('exit', () => resolve(undefined))
    } catch (error) {
      resolve(error instanceof Error ? error.message : String(error))
    }
  })
}
