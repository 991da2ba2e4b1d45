import path from 'node:path'

/** What a cluster is to be. */
export interface ClusterShape {
  /** How many nodes: node1, node2, … Default 4. */
  readonly nodes?: number
  /** CPUs of a node, whatever the machine has. Default 4. */
  readonly cpusPerNode?: number
  /** MB of a node, whatever the machine has. Default 4,000. */
  readonly memoryPerNodeMb?: number
  /**
   * How many times faster the controller's clock runs; default 10, so that a time limit of a minute is over in six to nine
   * seconds and the rounds of the controller in a tenth of their time. Nodes, jobs and clients keep the real clock. What
   * the controller says of times runs ahead.
   */
  readonly speed?: number
  /** Seconds by which the controller's clock is ahead from the start. Default 0. */
  readonly clockAheadS?: number
  /** Real seconds until a node that does not answer is down. Default 60: a busy machine must not lose nodes. */
  readonly nodeTimeoutS?: number
  /** Real seconds that sbatch, squeue and scancel wait for an answer. Default 20. */
  readonly messageTimeoutS?: number
  /** Real seconds that a finished job can still be asked for. Default 60. */
  readonly minJobAgeS?: number
  /** Further lines of slurm.conf. */
  readonly lines?: readonly string[]
}

export type FullClusterShape = Required<ClusterShape>

export function completeShape(shape: ClusterShape): FullClusterShape {
  return {
    nodes: 4,
    cpusPerNode: 4,
    memoryPerNodeMb: 4_000,
    speed: 10,
    clockAheadS: 0,
    nodeTimeoutS: 60,
    messageTimeoutS: 20,
    minJobAgeS: 60,
    lines: [],
    ...shape,
  }
}

/** Where everything of a cluster lies. */
export function filesOf(dir: string) {
  return {
    /** What daemons and jobs read. */
    conf: path.join(dir, 'etc', 'slurm.conf'),
    /** What clients read: the same, with their own patience. */
    clientConf: path.join(dir, 'etc', 'client.conf'),
    mungeKey: path.join(dir, 'munge', 'munge.key'),
    mungeSeed: path.join(dir, 'munge', 'munge.seed'),
    mungeSocket: path.join(dir, 'run', 'munge.sock'),
    jobLog: path.join(dir, 'log', 'jobs.log'),
    spool: (node: string) => path.join(dir, 'spool', node),
    log: (daemon: string) => path.join(dir, 'log', `${daemon}.log`),
    folders: ['etc', 'munge', 'run', 'log', 'controller', 'spool'].map((name) => path.join(dir, name)),
  }
}

/** The names of the nodes. */
export function nodeNames({ nodes }: FullClusterShape): string[] {
  return Array.from({ length: nodes }, (_, index) => `node${index + 1}`)
}

/**
 * The text of slurm.conf. Several slurmd on one machine need names and ports of their own and nothing else. Times that the
 * controller measures are multiplied by the speed of its clock; a client's are not.
 *
 * @param firstPort of the controller; the nodes have the ones behind it.
 */
export function renderConfiguration(
  dir: string,
  shape: FullClusterShape,
  firstPort: number,
  readBy: 'daemons' | 'clients',
): string {
  const { nodes, cpusPerNode, memoryPerNodeMb, speed, nodeTimeoutS, messageTimeoutS, minJobAgeS, lines } = shape
  const files = filesOf(dir)
  const ofController = (seconds: number): number => Math.ceil(seconds * speed)
  const settings: readonly (readonly [name: string, value: string | number])[] = [
    ['ClusterName', 'lab'],
    ['SlurmctldHost', 'localhost(127.0.0.1)'],
    ['SlurmctldPort', firstPort],
    ['SlurmUser', 'root'],
    ['SlurmdUser', 'root'],
    ['AuthType', 'auth/munge'],
    // A job that is queued again waits as long as a credential is valid; SLURM takes nothing below five seconds.
    ['AuthInfo', `socket=${files.mungeSocket},cred_expire=${ofController(1) < 5 ? 5 : ofController(1)}`],
    ['CredType', 'cred/munge'],
    ['StateSaveLocation', path.join(dir, 'controller')],
    ['SlurmdSpoolDir', files.spool('%n')],
    ['SlurmctldPidFile', path.join(dir, 'run', 'slurmctld.pid')],
    ['SlurmdPidFile', path.join(dir, 'run', 'slurmd-%n.pid')],
    ['SlurmctldDebug', 'debug'],
    ['SlurmdDebug', 'info'],
    ['MailProg', '/bin/true'],
    ['ProctrackType', 'proctrack/linuxproc'],
    ['TaskPlugin', 'task/none'],
    ['JobAcctGatherType', 'jobacct_gather/none'],
    ['SwitchType', 'switch/none'],
    ['MpiDefault', 'none'],
    ['PropagateResourceLimits', 'NONE'],
    // What the nodes say they have counts, and not what the machine has.
    ['SlurmdParameters', 'config_overrides'],
    ['SelectType', 'select/cons_tres'],
    ['SelectTypeParameters', 'CR_CPU_Memory'],
    // Else every job gets the whole memory of its node.
    ['DefMemPerCPU', 100],
    ['EnforcePartLimits', 'ALL'],
    ['MaxArraySize', 1_001],
    ['SchedulerType', 'sched/backfill'],
    ['SchedulerParameters', 'batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1,bf_resolution=60'],
    ['PriorityType', 'priority/basic'],
    ['MinJobAge', ofController(minJobAgeS)],
    ['KillWait', ofController(2)],
    ['InactiveLimit', 0],
    ['CompleteWait', 0],
    ['SlurmdTimeout', ofController(nodeTimeoutS)],
    ['SlurmctldTimeout', 120],
    ['BatchStartTimeout', ofController(60)],
    ['MessageTimeout', readBy === 'clients' ? messageTimeoutS : ofController(20)],
    ['TCPTimeout', ofController(2)],
    ['UnkillableStepTimeout', 300],
    ['ReturnToService', 2],
    ['JobRequeue', 1],
    ['JobCompType', 'jobcomp/filetxt'],
    ['JobCompLoc', files.jobLog],
    ['AccountingStorageType', 'accounting_storage/none'],
  ]
  const all = nodes === 1 ? 'node1' : `node[1-${nodes}]`
  const ports = nodes === 1 ? String(firstPort + 1) : `[${firstPort + 1}-${firstPort + nodes}]`
  return [
    ...settings.map(([name, value]) => `${name}=${value}`),
    `NodeName=${all} NodeHostname=localhost NodeAddr=127.0.0.1 Port=${ports} CPUs=${cpusPerNode} RealMemory=${memoryPerNodeMb}`,
    `PartitionName=compute Nodes=${all} Default=YES DefaultTime=10 MaxTime=INFINITE State=UP`,
    `PartitionName=short Nodes=${all} DefaultTime=1 MaxTime=2 State=UP`,
    `PartitionName=closed Nodes=${all} MaxTime=INFINITE State=DOWN`,
    ...lines,
    '',
  ].join('\n')
}
