import { readFile } from 'node:fs/promises'
import os from 'node:os'

/** Where the figures come from. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGB: number
  readonly os: string
  readonly kernel: string
}

export async function describeMachine(): Promise<Machine> {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? os.arch(),
    cores: os.availableParallelism(),
    memoryGB: Math.round(os.totalmem() / 1e8) / 10,
    os: await nameOfSystem(),
    kernel: `${os.type()} ${os.release()}`,
  }
}

async function nameOfSystem(): Promise<string> {
  // freedesktop.org os-release(5); other systems have no such file.
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(release)?.[1] ?? `${os.platform()} ${os.arch()}`
}
