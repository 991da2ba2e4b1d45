// The light variant: a service starts sooner by 10 ms of processor time.
import * as z from 'zod/mini'

import { parseBytes, parseDurationMs, parseOffer } from '#libs/domain'

const addressList = z.pipe(
  z.string(),
  z.transform((text) => text.split(',')),
)

/** The worker's settings. */
export const workerConfig = z.object({
  /** The mesh folder: secrets, certificates, addresses. */
  meshDir: z.string(),
  /** How many tasks run at once, each in a slot of its own. */
  slots: z._default(z.coerce.number().check(z.int(), z.gte(0), z.lte(4096)), 1),
  /** Where the tasks of a slot run: a thread of the worker, or a process of its own. */
  executor: z._default(z.enum(['thread', 'process']), 'thread'),
  /** A task that changes an input that it shares with others fails, with its name. Costs a copy and two digests of each. */
  verifyInputs: z._default(z.stringbool(), false),
  /** How many workers the supervisor keeps. */
  count: z._default(z.coerce.number().check(z.int(), z.gte(1), z.lte(256)), 1),
  /** Resident memory of one worker with the processes of its slots; its supervisor ends it at 95 % of it. 0 for no limit. */
  memoryLimit: z.prefault(
    z.pipe(
      z.string(),
      z.transform((text) => parseBytes(text, 'memory-limit')),
    ),
    '0',
  ),
  /** How much of the inputs that it fetched it keeps for other tasks; at most an eighth of its memory limit. */
  inputCache: z.prefault(
    z.pipe(
      z.string(),
      z.transform((text) => parseBytes(text, 'input-cache')),
    ),
    '256MB',
  ),
  /** The part of its memory limit that objects may take; beyond it those that were used longest ago go to the disk. */
  memoryTarget: z._default(z.coerce.number().check(z.gt(0), z.lte(0.8)), 0.6),
  /** Where objects go that find no room in memory: a folder on a disk of this machine. The system's temporary one by default. */
  spillDir: z.optional(z.string()),
  /** How much of the disk they may take; 0 for nothing at all. As much as there is by default. */
  spillLimit: z.optional(
    z.pipe(
      z.string(),
      z.transform((text) => parseBytes(text, 'spill-limit')),
    ),
  ),
  /** What it offers beside slots and memory, such as gpu=2,licence=1. */
  resources: z.prefault(
    z.pipe(
      z.string(),
      z.transform((text) => parseOffer(text, 'resources')),
    ),
    '',
  ),
  /** How many tasks may wait without a slot for tasks that they submitted; each keeps its thread or process. */
  maxWaiting: z._default(z.coerce.number().check(z.int(), z.gte(0), z.lte(4096)), 256),
  /** The mesh ends with its workers: one that is told to stop need not hand over what only it holds. */
  ephemeral: z._default(z.stringbool(), false),
  listenAddress: z._default(z.string(), '127.0.0.1:0'),
  /** What others dial, when it is not what is listened on. */
  advertiseAddress: z.optional(z.string()),
  /** Where health is served in clear text, for probes that cannot speak mutual TLS. */
  healthAddress: z.optional(z.string()),
  /** Where the scheduler and the checkpoint-store listen (host:port, comma-separated); by default the mesh folder says. */
  schedulerAddress: z.optional(addressList),
  checkpointStoreAddress: z.optional(addressList),
  /** Where bundles are unpacked. */
  cacheDir: z.optional(z.string()),
  /** A worker that reaches no scheduler for so long ends. */
  deathTimeout: z.prefault(
    z.pipe(
      z.string(),
      z.transform((text) => parseDurationMs(text, 'death-timeout')),
    ),
    '60s',
  ),
  /** So long before a worker that was told to stop ends its tasks they are told; at most half of the time there is. */
  leaveNotice: z.prefault(
    z.pipe(
      z.string(),
      z.transform((text) => parseDurationMs(text, 'leave-notice')),
    ),
    '5s',
  ),
  /** When its scheduler drains it, its tasks are told to save and end after so long; 0s lets them finish. */
  drainTimeout: z.prefault(
    z.pipe(
      z.string(),
      z.transform((text) => parseDurationMs(text, 'drain-timeout')),
    ),
    '0s',
  ),
  /** The allocation of a batch system that it runs in, `<pool>/<allocation id>`, as a provisioner's job script says. */
  allocation: z.optional(z.string().check(z.regex(/^[^/]+\/[^/]+$/))),
  /** The batch system's id of the job, and how often it has started it again. */
  slurmJobId: z._default(z.string(), ''),
  restartCount: z._default(z.coerce.number().check(z.int(), z.gte(0)), 0),
  /** When it will be ended, whatever it runs: seconds since the Unix epoch. */
  endsAt: z.optional(z.coerce.number().check(z.gt(0))),
})

export type WorkerConfig = z.output<typeof workerConfig>
