import type { JobId } from '#libs/domain'
import type { Durability, SubmitReceipt } from '#libs/proto'

import { durableBytesOf } from '../core/archives.js'
import type { JobSpec } from '../core/job-spec.js'
import type { State } from '../core/state.js'

/** What was submitted, how far the submit is safe, and which results will be safe as soon as they are made. */
export function receiptOf(state: State, spec: JobSpec, jobId: JobId, durability: Durability): SubmitReceipt {
  const bytes = durableBytesOf(state, { spec, persistedAs: undefined })
  return { jobId, durability, ...(bytes === Infinity ? {} : { durableResultBytes: BigInt(bytes) }) }
}
