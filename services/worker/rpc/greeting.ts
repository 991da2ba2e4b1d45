import { type AttemptRef, type LinkRequest, type ObjectDescriptor, ObjectsStored, type WorkerHello } from '#libs/proto'

import { descriptorBytesOf } from '../objects/object-store.js'
import { bytesPerMessage, partsOf } from './parts.js'

/** What a worker has when its link opens. */
export interface Inventory {
  readonly attempts: readonly AttemptRef[]
  readonly objects: Iterable<{ readonly descriptor: ObjectDescriptor }>
  /** Reports of scattered objects that the scheduler has not acknowledged. */
  readonly stored: readonly { readonly report: ObjectsStored }[]
}

type Listed =
  | { readonly kind: 'attempt'; readonly attempt: AttemptRef; readonly bytes: number }
  | { readonly kind: 'object'; readonly descriptor: ObjectDescriptor; readonly bytes: number }
  | { readonly kind: 'stored'; readonly report: ObjectsStored; readonly bytes: number }

const itemsPerMessage = 50_000
/** What an entry takes in its message beside what it says. */
const bytesPerEntry = 16

/** What the worker says first on a link: who it is and what it has, in as many messages as that takes. */
export function greetingOf(
  self: Omit<WorkerHello, 'attempts' | 'objects' | 'stored' | 'inventoryFollows'>,
  inventory: Inventory,
  most: { readonly items: number; readonly bytes: number } = { items: itemsPerMessage, bytes: bytesPerMessage },
): LinkRequest[] {
  const parts = [...partsOf(listAll(inventory), ({ bytes }) => bytes, most)]
  const [first = [], ...others] = parts
  const hello = { ...self, ...sortOut(first), inventoryFollows: others.length > 0 }
  return [
    { report: { $case: 'hello', value: hello } },
    ...others.map((part, index): LinkRequest => {
      const value = { ...sortOut(part), inventoryFollows: index < others.length - 1 }
      return { report: { $case: 'inventory', value } }
    }),
  ]
}

function* listAll({ attempts, objects, stored }: Inventory): Generator<Listed> {
  for (const attempt of attempts) {
    const bytes = attempt.behind.reduce((sum, { taskId }) => sum + taskId.length + bytesPerEntry, bytesPerEntry)
    yield { kind: 'attempt', attempt, bytes: attempt.taskId.length + bytes }
  }
  for (const { descriptor } of objects) {
    yield { kind: 'object', descriptor, bytes: descriptorBytesOf(descriptor) + bytesPerEntry }
  }
  for (const { report } of stored) {
    yield { kind: 'stored', report, bytes: ObjectsStored.encode(report).finish().byteLength + bytesPerEntry }
  }
}

function sortOut(part: readonly Listed[]): Pick<WorkerHello, 'attempts' | 'objects' | 'stored'> {
  return {
    attempts: part.flatMap((item) => (item.kind === 'attempt' ? [item.attempt] : [])),
    objects: part.flatMap((item) => (item.kind === 'object' ? [item.descriptor] : [])),
    stored: part.flatMap((item) => (item.kind === 'stored' ? [item.report] : [])),
  }
}
