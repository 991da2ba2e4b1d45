/** A line that a task says has at most so many UTF-16 units: everything that it says shares one link with everybody else. */
export const maxLineUnits = 64 * 1024

/** The text as a line that can travel; a longer one ends with how much was cut. */
export function cutLine(text: unknown): string {
  const line = typeof text === 'string' ? text : String(text)
  if (line.length <= maxLineUnits) return line
  // Half of a surrogate pair is no text.
  const end = line.charCodeAt(maxLineUnits - 1) >= 0xd800 && line.charCodeAt(maxLineUnits - 1) < 0xdc00 ? 1 : 0
  const kept = line.slice(0, maxLineUnits - end)
  return `${kept}… [${line.length - kept.length} more characters were cut]`
}
