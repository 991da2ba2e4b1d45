import { isTask } from '#libs/task'

/**
 * Checks what is called within a batch or a fold: the refusal of those would name what the user has never heard of.
 * @param tasks by the names of the primitive's options.
 * @throws TypeError that says how to declare a task.
 */
export function checkTasks(primitive: string, tasks: Readonly<Record<string, unknown>>): void {
  for (const [option, value] of Object.entries(tasks)) {
    if (isTask(value)) continue
    const got = typeof value === 'function' ? `the function ${value.name || 'without a name'}` : typeof value
    throw new TypeError(
      `${primitive}: ${option} must be a task, got ${got}; declare it in a module and export it: ` +
        `export const ${option} = task(import.meta, '${option}', async (…) => { … })`,
    )
  }
}
