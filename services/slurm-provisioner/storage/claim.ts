import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'

/** Who provides for a mesh. */
interface Holder {
  readonly token: string
  readonly instanceId: string
  readonly host: string
  readonly pid: number
  /** When the process started, as the system counts; systems use a pid again. Empty where it does not say. */
  readonly born: string
  readonly beatAtMs: number
}

/** The right to submit and cancel for a mesh, of which there is one: a file in the mesh folder, which all hosts see. */
export interface Claim {
  /** @throws ClaimLostError when another provisioner has taken over. */
  readonly assert: () => Promise<void>
  /** Says that its holder is alive. @throws ClaimLostError */
  beat(): Promise<void>
  release(): Promise<void>
}

/** Another provisioner provides for the mesh: this one must not. */
export class ClaimLostError extends Error {
  override readonly name = 'RefusedError'
}

export interface ClaimOptions {
  readonly folder: string
  readonly instanceId: string
  readonly nowMs: () => number
  /** Take over from a holder that may be alive. */
  readonly takeOver: boolean
}

/** A holder on another host that said nothing for so long is taken for gone. */
const silentMs = 30_000

/** @throws ClaimLostError that names the holder. */
export async function takeClaim({ folder, instanceId, nowMs, takeOver }: ClaimOptions): Promise<Claim> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = path.join(folder, 'claim.json')
  const token = randomUUID()
  const { born } = await lifeOf(process.pid)
  const self = (): Holder => ({ token, instanceId, host: hostname(), pid: process.pid, born, beatAtMs: nowMs() })

  async function write(): Promise<string> {
    const temporary = `${file}.${token}`
    await writeFile(temporary, JSON.stringify(self()), { mode: 0o600 })
    return temporary
  }

  async function assert(): Promise<void> {
    const holder = await readHolder(file)
    if (holder?.token === token) return
    throw new ClaimLostError(
      holder === undefined
        ? `${file} is gone: nobody may provide for this mesh until a provisioner is started again`
        : `provisioner ${holder.instanceId} (process ${holder.pid} on ${holder.host}) has taken over: this one ends`,
    )
  }

  const temporary = await write()
  try {
    // The link is made by one of several at once, on NFS too.
    await link(temporary, file)
    await rm(temporary)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const holder = await readHolder(file)
    if (!takeOver && holder !== undefined && (await isAlive(holder, nowMs()))) {
      await rm(temporary, { force: true })
      throw new ClaimLostError(
        `provisioner ${holder.instanceId} (process ${holder.pid} on ${holder.host}) provides for this mesh already: ` +
          'end it first, or start this one with --take-over',
      )
    }
    await rename(temporary, file)
  }
  // Of two that found the same dead holder, the one that came last has it.
  await assert()
  return {
    assert,
    beat: async () => {
      await assert()
      await rename(await write(), file)
    },
    release: async () => {
      if ((await readHolder(file))?.token === token) await rm(file, { force: true })
    },
  }
}

async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Holder
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    // Half a file is nobody's.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

async function isAlive({ host, pid, born, beatAtMs }: Holder, nowMs: number): Promise<boolean> {
  if (host !== hostname()) return nowMs - beatAtMs < silentMs
  const life = await lifeOf(pid)
  return life.isAlive && (life.born === born || born === '' || life.born === '')
}

/** Whether a process of this host lives: one that has ended and that its parent has not noticed yet does not. */
async function lifeOf(pid: number): Promise<{ readonly isAlive: boolean; readonly born: string }> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8')
    // Behind the name, which may hold anything: state, parent, … and as the 20th of them the start.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { isAlive: fields[0] !== 'Z' && fields[0] !== 'X', born: fields[19] ?? '' }
  } catch {
    return { isAlive: process.platform !== 'linux' && answers(pid), born: '' }
  }
}

function answers(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
