import { existsSync, watch } from 'node:fs'
import path from 'node:path'

/**
 * Resolves when somebody has made the file, such as a task that says that it runs. Its folder must be there. Announced by
 * the operating system: nothing looks at intervals.
 */
export async function waitForFile(file: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const watcher = watch(path.dirname(file), () => look())
    const look = (): void => {
      if (!existsSync(file)) return
      watcher.close()
      resolve()
    }
    // It may have been made before anybody watched.
    look()
  })
}
