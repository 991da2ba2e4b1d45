import { readFile } from 'node:fs/promises'
import { availableParallelism, cpus, machine, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { ReportData } from './report-data.js'

export function describeMachine(): ReportData['machine'] {
  return {
    os: `${type()} ${release()} ${machine()}`,
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
  }
}

export async function readVersions(): Promise<ReportData['versions']> {
  const manifest = await readFile(fileURLToPath(import.meta.resolve('costate/package.json')), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  return { costate: version, node: process.versions.node }
}
