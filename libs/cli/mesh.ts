import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'

import type { CompatServiceDefinition } from 'nice-grpc'

import { meshDirOf, readAddress } from '#libs/lifecycle'
import { CheckpointServiceDefinition, ProvisionerServiceDefinition, SchedulerServiceDefinition } from '#libs/proto'
import { closeRpcChannel, createRpcChannel, createRpcClient, loadSecurity, type RpcClient } from '#libs/rpc'

import { CliError, exitCodes } from './cli-error.js'

/** How long a mesh may take to answer. */
export const answerTimeoutMs = 5_000

/** The folder of a mesh that is named on the command line; it is there. */
export function findMeshDir(name: string): string {
  const isAddress = name.includes(':')
  const meshDir = isAddress ? process.env['COSTATE_MESH_DIR'] : meshDirOf(name)
  if (meshDir !== undefined && existsSync(meshDir)) return meshDir
  const message = isAddress
    ? `${name} is an address: set COSTATE_MESH_DIR to the folder that holds the client's token`
    : `there is no mesh named '${name}' here: costate status lists those there are, costate up --name ${name} starts it`
  throw new CliError(exitCodes.notFound, 'MESH_NOT_FOUND', message)
}

/** Where traces and logs of a mesh go, when its maker said so. */
export async function readRunDir(meshDir: string): Promise<string | undefined> {
  return await readFile(path.join(meshDir, 'run-dir'), 'utf8').catch(() => undefined)
}

/** Asks the scheduler of a mesh, by the mesh's name or the scheduler's address. */
export async function askScheduler<T>(
  name: string,
  ask: (scheduler: RpcClient<typeof SchedulerServiceDefinition>) => Promise<T>,
): Promise<T> {
  return await askService(name, 'scheduler', SchedulerServiceDefinition, ask)
}

/** Asks the checkpoint-store of a mesh, by the mesh's name or the scheduler's address. */
export async function askStore<T>(
  name: string,
  ask: (store: RpcClient<typeof CheckpointServiceDefinition>) => Promise<T>,
): Promise<T> {
  return await askService(name, 'checkpointStore', CheckpointServiceDefinition, ask)
}

/** Asks the provisioner of a mesh, by the mesh's name or the scheduler's address. */
export async function askProvisioner<T>(
  name: string,
  ask: (provisioner: RpcClient<typeof ProvisionerServiceDefinition>) => Promise<T>,
): Promise<T> {
  return await askService(name, 'provisioner', ProvisionerServiceDefinition, ask)
}

/** How services are called in the mesh folder, and by people. */
const services = {
  scheduler: { file: 'scheduler', title: 'scheduler' },
  checkpointStore: { file: 'checkpointStore', title: 'checkpoint-store' },
  provisioner: { file: 'slurm-provisioner', title: 'SLURM provisioner' },
} as const

async function askService<Definition extends CompatServiceDefinition, T>(
  name: string,
  service: keyof typeof services,
  definition: Definition,
  ask: (client: RpcClient<Definition>) => Promise<T>,
): Promise<T> {
  const meshDir = findMeshDir(name)
  const isNamed = service === 'scheduler' && name.includes(':')
  const addresses = isNamed ? [name] : (await readAddress(meshDir, services[service].file))?.addresses
  if (addresses === undefined) {
    const message = `the mesh '${name}' has no ${services[service].title} yet, or had none when it ended: costate status ${name} shows more`
    throw new CliError(exitCodes.notFound, 'MESH_DOWN', message)
  }
  const security = await loadSecurity(meshDir, 'client')
  const channel = createRpcChannel(addresses, { security, serverRole: service, kind: 'control' })
  try {
    return await ask(createRpcClient(definition, channel))
  } finally {
    closeRpcChannel(channel)
  }
}
