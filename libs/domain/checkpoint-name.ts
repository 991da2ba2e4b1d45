const maxNameLength = 512
const printable = /^[^\p{C}\p{Zl}\p{Zp}]*$/u

/** What is wrong with the name of a checkpoint, which has non-empty segments between slashes; nothing when all is well. */
export function flawOfCheckpointName(name: string): string | undefined {
  if (name === '') return 'the name is empty: give one such as jobs/j1/tasks/7'
  const shown = `'${name.slice(0, 64)}'`
  if (name.length > maxNameLength) {
    return `the name ${shown}… has ${name.length} characters, but at most ${maxNameLength} are allowed`
  }
  if (!printable.test(name)) return 'the name holds characters that cannot be printed'
  const bad = name.split('/').find((segment) => segment === '' || segment === '.' || segment === '..')
  if (bad === undefined) return undefined
  return `the name ${shown} has the segment '${bad}': segments must not be empty, '.' or '..'`
}
