/** Whether text has no half of a surrogate pair. Node 20 can tell; the language level that we compile for cannot. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}
