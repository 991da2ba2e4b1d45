import { readFile } from 'node:fs/promises'
import { availableParallelism, cpus, machine, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'

/** What a run ran on. */
export interface Machine {
  readonly os: string
  readonly cpuModel: string
  readonly cores: number
  readonly memoryBytes: number
}

/** Name to version of what took part, such as `costate` and `node`. */
export type Versions = Readonly<Record<string, string>>

export function describeMachine(): Machine {
  return {
    os: `${type()} ${release()} ${machine()}`,
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
  }
}

export async function readVersions(): Promise<Versions> {
  const manifest = await readFile(fileURLToPath(import.meta.resolve('costate/package.json')), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  return { costate: version, node: process.versions.node }
}
