import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

/** What a queue without jobs shows: the titles that were asked for. */
const titles = 'JOBID ARRAY_JOB_ID ARRAY_TASK_ID STATE REASON NODELIST EXIT_CODE RESTART_COUNT START_TIME NAME COMMENT'

const commands: Readonly<Record<string, string>> = {
  sbatch: `case "$1" in
  --version) echo 'slurm 22.05.8' ;;
  --test-only) cat >/dev/null; echo 'sbatch: Job 1 to start at 2026-11-30T06:00:00' >&2 ;;
  *) cat >/dev/null; echo 'sbatch: error: Batch job submission failed: Invalid partition name specified' >&2; exit 1 ;;
esac`,
  squeue: `printf '${titles
    .split(' ')
    .map((title) => `${title}\\037`)
    .join('')}\\n'`,
  scancel: 'exit 0',
}

/**
 * SLURM's commands in a new folder, for who needs a provisioner and no jobs: the queue is empty, and every submit is refused.
 *
 * @returns the PATH that finds them first.
 */
export async function quietSlurm(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  for (const [name, text] of Object.entries(commands)) {
    await writeFile(path.join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  }
  return `${folder}${path.delimiter}${process.env['PATH'] ?? ''}`
}
