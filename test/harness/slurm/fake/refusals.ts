/** What SLURM 22.05 writes when it refuses or cannot answer, and the exit code with it. */
export interface Refusal {
  readonly stderr: string
  readonly code: number
}

const failed = (why: string, ...before: readonly string[]): Refusal => ({
  stderr: [...before, `Batch job submission failed: ${why}`].map((line) => `sbatch: error: ${line}\n`).join(''),
  code: 1,
})

/** Of sbatch. */
export const refusals = {
  unknownPartition: failed('Invalid partition name specified', 'invalid partition specified: nope'),
  tooLong: failed('Requested time limit is invalid (missing or exceeds some limit)'),
  tooMuchMemory: failed('Requested node configuration is not available', 'Memory specification can not be satisfied'),
  tooManyCpus: failed('Requested node configuration is not available', 'CPU count per node can not be satisfied'),
  forbiddenAccount: failed('Invalid account or account/partition combination specified'),
  unknownQos: failed('Invalid qos specification'),
  tooManyJobs: failed(
    "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
    'QOSMaxSubmitJobPerUserLimit',
  ),
  badTime: { stderr: 'sbatch: error: Invalid --time specification\n', code: 255 },
  /** The controller did not answer in time. Whether it took the job, nobody knows. */
  timedOut: failed('Socket timed out on send/recv operation'),
  unreachable: failed('Unable to contact slurm controller (connect failure)'),
} as const satisfies Readonly<Record<string, Refusal>>

/** Of squeue, when the controller does not answer. */
export const queueFailures = {
  timedOut: { stderr: 'slurm_load_jobs error: Socket timed out on send/recv operation\n', code: 1 },
  unreachable: { stderr: 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n', code: 1 },
} as const satisfies Readonly<Record<string, Refusal>>
