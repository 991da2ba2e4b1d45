import type { SubmitOptions } from '#libs/task'

/** What a cluster's options say of every submit. */
export function defaultsOf({ durability }: Pick<SubmitOptions, 'durability'>): SubmitOptions {
  return durability === undefined ? {} : { durability }
}
