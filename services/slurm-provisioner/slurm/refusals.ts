import type { Refusal } from '../core/event.js'

/** A text of SLURM, and what it means for who wants to submit. */
interface Meaning {
  readonly pattern: RegExp
  readonly kind: string
  readonly advice: string
  readonly isTransient?: boolean
}

/** The first that matches counts: what is more special comes before. */
const meanings: readonly Meaning[] = [
  {
    pattern: /invalid partition|Invalid partition name/i,
    kind: 'invalidPartition',
    advice: "set the pool's partition to one that `sinfo` shows",
  },
  {
    pattern: /(?:QOS|Assoc)(?:Max|Grp)\w*(?:Submit|Jobs)\w*|MaxSubmitJob/,
    kind: 'jobLimit',
    advice: "wait until some of your jobs have ended, or lower the pool's maxPending and maxJobs",
    isTransient: true,
  },
  {
    pattern: /(?:QOS|Assoc)(?:Max|Grp|Min)\w*Wall\w*|Requested time limit is invalid|Time limit exceeds/i,
    kind: 'timeLimit',
    advice: "lower the pool's walltime: `sinfo -o '%P %l'` shows the limits of the partitions",
  },
  {
    pattern: /(?:QOS|Assoc)(?:Max|Grp|Min)\w*/,
    kind: 'policyLimit',
    advice: 'ask for less per job, or for another QOS or account: `sacctmgr show assoc user=$USER` shows your limits',
  },
  {
    pattern: /Memory specification can not be satisfied|memory.*(?:exceed|too large)/i,
    kind: 'memory',
    advice: "lower the pool's memory: `sinfo -N -o '%N %m'` shows what the nodes have",
  },
  {
    pattern: /CPU count (?:per node )?can not be satisfied|More processors requested/i,
    kind: 'cpus',
    advice: "lower the pool's cpus: `sinfo -N -o '%N %c'` shows what the nodes have",
  },
  {
    pattern: /Invalid generic resource|\bgres\b/i,
    kind: 'gres',
    advice: "mend the pool's gres: `sinfo -o '%N %G'` shows what there is",
  },
  {
    pattern: /Invalid feature specification/i,
    kind: 'constraint',
    advice: "mend the pool's constraint: `sinfo -o '%N %f'` shows the features of the nodes",
  },
  {
    pattern: /Requested node configuration is not available|Node count specification invalid|Invalid node name/i,
    kind: 'nodeConfiguration',
    advice:
      'no node of the partition has all that the pool asks for: compare cpus, memory, gres and constraint with `sinfo -N -l`',
  },
  {
    pattern: /Invalid account|account\/partition combination/i,
    kind: 'account',
    advice: "set the pool's account to one of yours: `sacctmgr show assoc user=$USER format=account,partition,qos`",
  },
  {
    pattern: /Invalid qos/i,
    kind: 'qos',
    advice: "set the pool's qos to one of yours: `sacctmgr show assoc user=$USER format=account,partition,qos`",
  },
  {
    pattern: /Invalid job array specification/i,
    kind: 'arraySize',
    advice: "the site lets no array be so large: lower the pool's maxPending, or set array to false",
  },
  { pattern: /reservation/i, kind: 'reservation', advice: 'mend the reservation among the directives of the pool' },
  { pattern: /license/i, kind: 'licenses', advice: 'mend the licenses among the directives of the pool' },
  { pattern: /dependency/i, kind: 'dependency', advice: 'mend the dependency among the directives of the pool' },
  {
    pattern: /accounting\/QOS policy|AccountingPolicy/i,
    kind: 'policyLimit',
    advice: 'ask for less per job, or for another QOS or account: `sacctmgr show assoc user=$USER` shows your limits',
  },
  {
    pattern: /Munge|authentication/i,
    kind: 'authentication',
    advice: 'munge does not work on this machine: tell its administrators',
    isTransient: true,
  },
  {
    pattern: /Unable to contact slurm controller|connect failure|Connection refused/i,
    kind: 'controllerDown',
    advice: 'the controller of SLURM is away; it is tried again',
    isTransient: true,
  },
  {
    pattern: /configuration (?:source|file)|s_p_parse_file/i,
    kind: 'noConfiguration',
    advice: 'SLURM is not set up on this machine: run this on a login node, or set SLURM_CONF',
  },
  {
    pattern: /temporarily unable|Resource temporarily unavailable|try again|job limit|too many jobs/i,
    kind: 'busy',
    advice: 'SLURM takes no jobs at the moment; it is tried again',
    isTransient: true,
  },
  {
    pattern: /group not permitted|permission denied|not permitted/i,
    kind: 'permission',
    advice: 'you may not use what the pool asks for: ask the administrators, or change partition or account',
  },
  {
    pattern: /partition.*(?:down|inactive|not available)|Required partition/i,
    kind: 'partitionAway',
    advice: 'the partition takes no jobs at the moment; it is tried again',
    isTransient: true,
  },
  {
    pattern: /unrecognized option|invalid option|Invalid --\S+ specification|Invalid directive|requires an argument/i,
    kind: 'badOption',
    advice: "mend the pool's settings and directives; `costate slurm script` shows what sbatch was given",
  },
  {
    pattern: /batch script|DOS line breaks/i,
    kind: 'badScript',
    advice: 'see what sbatch was given: `costate slurm script`',
  },
]

/** What SLURM meant when it refused. */
export function refusalOf(message: string): Refusal {
  const found = meanings.find(({ pattern }) => pattern.test(message))
  return {
    kind: found?.kind ?? 'other',
    message,
    advice: found?.advice ?? 'see `costate slurm script` for what sbatch was given, and try it by hand',
    isTransient: found?.isTransient ?? false,
  }
}

/** Whether a failure leaves open that the job was taken: the request was sent, and no answer came. */
export function isUnclear(message: string): boolean {
  return /Socket timed out|Zero Bytes were|Unexpected message received|Transport endpoint|Connection reset|Header lengths are longer/i.test(
    message,
  )
}
