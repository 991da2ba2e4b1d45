/** How long a chunk is at most. Measured flat from 256 KiB to 8 MiB; a third slower at 64 KiB. */
export const chunkBytes = 512 * 1024

/** What every transfer may send before it hears from the receiver: small bodies cost no round trip. Part of the protocol. */
export const initialCreditBytes = 256 * 1024 + chunkBytes

/** A body up to this goes whole in its open: four frames, and what they wake, would cost more than moving it. */
export const wholePutBytes = 16 * 1024

/** How long the body of a batch is at most: one chunk, which needs no credit beyond the initial. Part of the protocol. */
export const batchBytes = chunkBytes

/** How many objects a batch has at most. Part of the protocol. */
export const maxBatchObjects = 1024

/** An object that is longer, its structure included, gains nothing from company. */
export const smallObjectBytes = 32 * 1024

/** How much of a body may be under way: covers 200 MB/s at a round trip of 80 ms. */
export const windowBytes = 16 * 1024 * 1024

/** How long a slot of shared memory is: a chunk there costs a frame all the same, so it is longer. Part of the protocol. */
export const slotBytes = 4 * 1024 * 1024

/**
 * How long a chunk in a slot is at most. Short of the slot, so that pieces of a body and the slots, which start at pages, come to
 * lie differently within their pages: processors of the Zen family copy four times as slowly where the target lies up to 16
 * bytes behind the source, page for page (measured: 1.6 against 6.3 GB/s), and so lies what the C library allocates.
 */
export const slotChunkBytes = slotBytes - 64

/** How many slots each end of a stream has: as much as a window. They take memory when they are first written. */
export const slots = windowBytes / slotBytes

/** A shorter body is sent before shared memory is agreed upon. */
export const sharedBodyBytes = 2 * initialCreditBytes

/** The same for a batch: where there is one of this length there are mostly many. */
export const sharedBatchBytes = batchBytes / 2

/** How many chunks may wait in a stream's outbox, whatever the number of its transfers. */
export const outboxLimit = 4

/**
 * How many transfers a dialler has open on one stream at a time; further ones wait their turn. Bounds what may come
 * unasked (`initialCreditBytes` each). Part of the protocol.
 */
export const maxOpenTransfers = 128

/** A listener counts a transfer a little longer than its dialler does, so it refuses only well above the limit. */
export const refusedOpenTransfers = 2 * maxOpenTransfers
