/** The semantic conventions that the names below were taken from. */
export const schemaUrl = 'https://opentelemetry.io/schemas/1.45.0'

/** The instrumentation scope of every span that Costate itself makes. */
export const scopeName = 'costate'

/**
 * Every attribute name that Costate writes, in one table, so that a change of a convention is one edit.
 *
 * Names under `costate.` and `slurm.` are ours (there is no convention for SLURM). The RPC names are a release candidate:
 * `rpc.status_code` follows the 1.45 constants, where 1.39–1.44 said `rpc.response.status_code`; `rpc.method` is fully
 * qualified (`costate.scheduler.v1.SchedulerService/Submit`) and there is no `rpc.service` any more.
 */
export const attribute = {
  jobId: 'costate.job.id',
  jobName: 'costate.job.name',
  jobTaskCount: 'costate.job.task_count',
  taskId: 'costate.task.id',
  taskName: 'costate.task.name',
  taskAttempt: 'costate.task.attempt',
  taskOutcome: 'costate.task.outcome',
  epoch: 'costate.epoch',
  workerId: 'costate.worker.id',
  workerSlot: 'costate.worker.slot',
  objectId: 'costate.object.id',
  objectBytes: 'costate.object.size',
  objectCount: 'costate.object.count',
  transferTransport: 'costate.transfer.transport',
  bundleDigest: 'costate.bundle.digest',
  checkpointName: 'costate.checkpoint.name',
  checkpointVersion: 'costate.checkpoint.version',
  allocationId: 'costate.allocation.id',
  poolName: 'costate.pool.name',
  linkCount: 'costate.link.count',

  slurmJobId: 'slurm.job.id',
  slurmArrayTaskId: 'slurm.array.task.id',
  slurmPartition: 'slurm.partition',

  rpcSystem: 'rpc.system.name',
  rpcMethod: 'rpc.method',
  rpcMethodOriginal: 'rpc.method_original',
  rpcStatusCode: 'rpc.status_code',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  networkPeerAddress: 'network.peer.address',
  networkPeerPort: 'network.peer.port',

  messagingSystem: 'messaging.system.name',
  messagingOperationName: 'messaging.operation.name',
  messagingOperationType: 'messaging.operation.type',
  messagingDestination: 'messaging.destination.name',
  messagingMessageId: 'messaging.message.id',
  messagingBatchCount: 'messaging.batch.message_count',

  errorType: 'error.type',

  serviceName: 'service.name',
  serviceNamespace: 'service.namespace',
  serviceVersion: 'service.version',
  serviceInstanceId: 'service.instance.id',
  hostName: 'host.name',
  processPid: 'process.pid',
} as const

/** The names of the stages in the life of a job and its tasks, in the order in which a trace shows them. */
export const stage = {
  submit: 'submit',
  queue: 'queue',
  dispatch: 'dispatch',
  fetch: 'fetch',
  run: 'run',
  store: 'store',
  gather: 'gather',
  scatter: 'scatter',
  checkpointSave: 'checkpoint save',
  checkpointLoad: 'checkpoint load',
  allocationQueue: 'slurm queue',
  workerStart: 'worker start',
} as const
