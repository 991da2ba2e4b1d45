import type { Reference } from '#libs/proto'

/** The name under which what a value refers to is looked up: an object's id, or `blob:` and its digest. */
export function nameOfReference({ target }: Reference, jobId: string): string {
  switch (target?.$case) {
    case 'objectId':
      return target.value
    case 'taskIndex':
      return `${jobId}/${target.value}`
    case 'blob':
      return `blob:${target.value.digest}`
    case undefined:
      return ''
    default:
      return target satisfies never
  }
}
