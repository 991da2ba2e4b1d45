/** What a job says of itself in its comment, so that it is known again whatever happened since it was submitted. */
export interface JobTag {
  /** Ten hexadecimal digits that no other mesh has. */
  readonly mesh: string
  readonly pool: string
  /** The submit that it came with. */
  readonly key: string
}

const commentForm = /^costate\/1\/([0-9a-f]{10})\/([a-z0-9][a-z0-9-]{0,39})\/([a-z0-9]{2,40})$/
const nameForm = /^costate-([0-9a-f]{10})-([a-z0-9][a-z0-9-]{0,39})-([a-z0-9]{2,40})$/

export function commentOf({ mesh, pool, key }: JobTag): string {
  return `costate/1/${mesh}/${pool}/${key}`
}

/** The same as a name, for sites that write comments of their own. */
export function jobNameOf({ mesh, pool, key }: JobTag): string {
  return `costate-${mesh}-${pool}-${key}`
}

/** Whose a job is, by its comment or else its name; nothing for a job that is no mesh's. */
export function readTag(comment: string, name: string): JobTag | undefined {
  const [, mesh, pool, key] = commentForm.exec(comment.trim()) ?? nameForm.exec(name.trim()) ?? []
  return mesh === undefined || pool === undefined || key === undefined ? undefined : { mesh, pool, key }
}
