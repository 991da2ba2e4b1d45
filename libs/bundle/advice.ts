/** What to tell somebody who handed over something that is not a task: a plain function, a closure, a task's result. */
export function describeNotATask(value: unknown): string {
  const name = typeof value === 'function' && /^[A-Za-z_$][\w$]*$/.test(value.name) ? value.name : 'solve'
  return (
    `${describe(value)} is not a task. A mesh ships modules, not functions: a function does not say which module it came ` +
    `from, and what it closes over can't be sent. Declare it in a module without side effects and export it: ` +
    `export const ${name} = task(import.meta, '${name}', async (params, ctx) => { … })`
  )
}

function describe(value: unknown): string {
  if (typeof value === 'function') return value.name === '' ? 'An anonymous function' : `The function ${value.name}`
  if (value === null || value === undefined) return String(value)
  if (value instanceof Promise) return 'A promise (of a task that was called, perhaps, rather than passed)'
  if (typeof value === 'object') return Array.isArray(value) ? 'An array' : 'An object'
  return `A ${typeof value}`
}
