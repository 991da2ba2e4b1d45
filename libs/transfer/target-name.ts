import type { TransferOpen } from '#libs/proto'

/** What an open names, for messages. */
export function nameOf({ target }: Pick<TransferOpen, 'target'>): string {
  switch (target?.$case) {
    case 'objectId':
      return `object ${target.value}`
    case 'blobDigest':
      return `blob ${target.value.slice(0, 12)}`
    case 'checkpoint':
      return `checkpoint ${target.value.name}`
    case 'objects':
      return `${target.value.objectIds.length || 'several'} small objects`
    case undefined:
      return 'nothing'
    default:
      return target satisfies never
  }
}
