import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { runToEnd } from '../program.js'

/** What a cluster is made of: each program, and the package of the distribution that has it. */
const packageOf = {
  munged: 'munge',
  slurmctld: 'slurmctld',
  slurmd: 'slurmd',
  sbatch: 'slurm-client',
} as const

const programDirs = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/sbin', '/sbin', '/usr/bin']
const policyFile = '/usr/sbin/policy-rc.d'
const libraryDir = '/usr/lib'

// Another test run may be installing the same; a network that is not there must not be waited for.
const patience = [
  'DPkg::Lock::Timeout=300',
  'Acquire::http::Timeout=20',
  'Acquire::https::Timeout=20',
  'Acquire::Retries=1',
].flatMap((option) => ['-o', option])

/** Where a program is; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  return programDirs.map((folder) => path.join(folder, name)).find((file) => existsSync(file))
}

/** The library that gives a process a clock of its own; undefined when it is not installed. */
export function findFakeClock(): string | undefined {
  if (!existsSync(libraryDir)) return undefined
  return readdirSync(libraryDir)
    .map((folder) => path.join(libraryDir, folder, 'faketime', 'libfaketimeMT.so.1'))
    .find((file) => existsSync(file))
}

/**
 * Sees to it that SLURM is on this machine; installs it from the distribution where that is possible and allowed
 * (`COSTATE_TEST_INSTALL=0` forbids it).
 *
 * @returns why there is no SLURM to test with, or undefined when there is.
 */
export async function installSlurm(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'SLURM runs on Linux only'
  if (process.getuid?.() !== 0) return 'only root can start slurmd, which starts jobs as their users'
  const missing = missingPackages()
  if (missing.length === 0) return undefined
  const what = `packages are missing: ${missing.join(', ')}`
  if (process.env['COSTATE_TEST_INSTALL'] === '0') return `${what}, and COSTATE_TEST_INSTALL=0 forbids to install them`
  if (findProgram('apt-get') === undefined) return `${what}, and there is no apt-get to install them`
  return (await install(missing)) ?? stillMissing()
}

function missingPackages(): string[] {
  const programs = Object.entries(packageOf).filter(([program]) => findProgram(program) === undefined)
  return [...programs.map(([, name]) => name), ...(findFakeClock() === undefined ? ['libfaketime'] : [])]
}

function stillMissing(): string | undefined {
  const missing = missingPackages()
  return missing.length === 0 ? undefined : `after the installation still missing: ${missing.join(', ')}`
}

/** @returns what went wrong, if anything. */
async function install(packages: readonly string[]): Promise<string | undefined> {
  // The packages' own daemons must not start: tests start theirs.
  const ours = !existsSync(policyFile)
  if (ours) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    const words = [...patience, 'install', '-y', '--no-install-recommends', ...packages]
    const env = { DEBIAN_FRONTEND: 'noninteractive' }
    const first = await runToEnd('apt-get', words, { env })
    if (first.code === 0) return undefined
    await runToEnd('apt-get', [...patience, 'update'], { env })
    const second = await runToEnd('apt-get', words, { env })
    return second.code === 0
      ? undefined
      : `apt-get could not install ${packages.join(', ')}: ${lastLines(second.stderr)}`
  } finally {
    if (ours) rmSync(policyFile, { force: true })
  }
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' | ')
}
