import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { fileURLToPath } from 'node:url'

import { runToEnd } from '../program.js'
import { findProgram } from '../slurm/packages.js'

/** How the hosts of a lab are connected with this machine, and with each other. */
export interface NetworkShape {
  readonly hosts: number
  /** What each host's link carries, in either direction, as `tc` reads it: `100mbit`. All that the kernel does unless given. */
  readonly rate?: string
  /** They reach this machine and nobody else. */
  readonly isIsolated?: boolean
  /** How long a packet is under way in either direction; the lab then has one host. */
  readonly delayMs?: number
}

/** A network on this machine: each host is a network namespace, and the machine itself is in the network too. */
export interface NetworkLab extends AsyncDisposable {
  /** The address of this machine in it. */
  readonly machineAddress: string
  /** That of a host, from 1. */
  addressOf(host: number): string
  /** The words before a command that is to run in the host. */
  inHost(host: number): readonly [string, ...string[]]
}

const delayLine = fileURLToPath(new URL('delay-line.py', import.meta.url))
/** Jumbo frames: what many hosts would do with small ones must all be done by this machine. */
const mtu = '9000'
const mostLabs = 50

/** Why there can be no such network here; undefined when there can. */
export async function findNetworkObstacle({ rate, delayMs }: Omit<NetworkShape, 'hosts'> = {}): Promise<
  string | undefined
> {
  if (process.platform !== 'linux') return 'network namespaces are of Linux only'
  if (process.getuid?.() !== 0) return 'only root can make network namespaces'
  if (findProgram('ip') === undefined) return 'the program ip is missing (package iproute2)'
  if (rate !== undefined && findProgram('tc') === undefined) return 'the program tc is missing (package iproute2)'
  if (delayMs !== undefined && findProgram('python3') === undefined) return 'python3 is missing'
  if (delayMs !== undefined && !existsSync('/dev/net/tun')) return 'there is no /dev/net/tun'
  const name = `csprobe${process.pid}`
  const made = await runToEnd('ip', ['netns', 'add', name])
  if (made.code !== 0) return `network namespaces are not permitted: ${made.stderr.trim()}`
  const link = ['link', 'add', `csp${process.pid}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]
  const linked = await runToEnd('ip', link)
  await runToEnd('ip', ['netns', 'del', name])
  return linked.code === 0 ? undefined : `no links between network namespaces are permitted: ${linked.stderr.trim()}`
}

let count = 0

/**
 * Starts a network. Several can be there at a time.
 *
 * @throws Error when a command fails; `findNetworkObstacle` says beforehand whether they can work.
 */
export async function startNetworkLab(shape: NetworkShape): Promise<NetworkLab> {
  const { hosts, delayMs } = shape
  if (delayMs !== undefined && hosts !== 1) throw new Error('a lab with a delay has one host')
  const id = `${process.pid.toString(36)}${(count++).toString(36)}`
  const net = freeNetwork()
  const names = {
    bridge: `csb${id}`,
    host: (host: number) => `cs${id}h${host}`,
    link: (host: number) => `c${id}v${host}`,
  }
  const undo: (() => Promise<unknown>)[] = []
  const lab: NetworkLab = {
    machineAddress: `${net}.254`,
    addressOf: (host) => `${net}.${host}`,
    inHost: (host) => ['ip', 'netns', 'exec', names.host(host)],
    [Symbol.asyncDispose]: async () => {
      for (const step of undo.splice(0).reverse()) await step()
    },
  }
  try {
    if (delayMs === undefined) {
      undo.push(() => runToEnd('ip', ['link', 'del', names.bridge]))
      await ip('link', 'add', names.bridge, 'mtu', mtu, 'type', 'bridge', 'forward_delay', '0', 'stp_state', '0')
      await ip('addr', 'add', `${lab.machineAddress}/24`, 'dev', names.bridge)
      await ip('link', 'set', names.bridge, 'up')
    }
    for (let host = 1; host <= hosts; host++) {
      undo.push(() => runToEnd('ip', ['netns', 'del', names.host(host)]))
      await ip('netns', 'add', names.host(host))
      if (delayMs === undefined) await plugIn(shape, names.bridge, names.link(host), names.host(host))
      else
        undo.push(await stretchWire({ machine: names.link(host), host: names.host(host) }, lab.machineAddress, delayMs))
      await ip('-n', names.host(host), 'addr', 'add', `${net}.${host}/24`, 'dev', 'eth0')
      await ip('-n', names.host(host), 'link', 'set', 'eth0', 'up')
      await ip('-n', names.host(host), 'link', 'set', 'lo', 'up')
    }
  } catch (error) {
    await lab[Symbol.asyncDispose]()
    throw error
  }
  return lab
}

async function plugIn({ rate, isIsolated }: NetworkShape, bridge: string, link: string, host: string): Promise<void> {
  await ip('link', 'add', link, 'mtu', mtu, 'type', 'veth', 'peer', 'name', 'eth0', 'mtu', mtu, 'netns', host)
  await ip('link', 'set', link, 'master', bridge, 'up')
  if (isIsolated) await ip('link', 'set', link, 'type', 'bridge_slave', 'isolated', 'on')
  if (rate === undefined) return
  const limit = ['root', 'tbf', 'rate', rate, 'burst', '64k', 'latency', '100ms']
  await run('tc', ['qdisc', 'add', 'dev', link, ...limit])
  await run('ip', ['netns', 'exec', host, 'tc', 'qdisc', 'add', 'dev', 'eth0', ...limit])
}

/** Two taps, and a process that carries frames between them. The answer takes it down again. */
async function stretchWire(
  names: { readonly machine: string; readonly host: string },
  machineAddress: string,
  delayMs: number,
): Promise<() => Promise<void>> {
  const far = `${names.machine}x`
  let wire: ChildProcess | undefined
  const takeDown = async (): Promise<void> => {
    if (wire && wire.exitCode === null && wire.signalCode === null) {
      const ended = once(wire, 'close')
      wire.stdin?.end()
      await ended
    }
    await runToEnd('ip', ['link', 'del', names.machine])
  }
  try {
    for (const tap of [names.machine, far]) {
      await ip('tuntap', 'add', 'dev', tap, 'mode', 'tap')
      await ip('link', 'set', tap, 'mtu', mtu)
    }
    wire = spawn('python3', [delayLine, names.machine, far, `${delayMs}`], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(wire.stdout as NonNullable<typeof wire.stdout>, 'data')
    await ip('addr', 'add', `${machineAddress}/24`, 'dev', names.machine)
    await ip('link', 'set', names.machine, 'up')
    await ip('link', 'set', far, 'netns', names.host, 'name', 'eth0')
    return takeDown
  } catch (error) {
    await takeDown()
    throw error
  }
}

/** A network of 254 addresses that this machine is not in yet. */
function freeNetwork(): string {
  const taken = Object.values(networkInterfaces()).flatMap(
    (addresses) => addresses?.map(({ address }) => address) ?? [],
  )
  for (let at = 0; at < mostLabs; at++) {
    const net = `10.201.${(process.pid + at) % 250}`
    if (!taken.some((address) => address.startsWith(`${net}.`))) return net
  }
  throw new Error(`${mostLabs} networks are there already: see ip addr`)
}

async function ip(...words: string[]): Promise<void> {
  await run('ip', words)
}

async function run(command: string, words: readonly string[]): Promise<void> {
  const { code, stderr } = await runToEnd(command, words)
  if (code !== 0) throw new Error(`${command} ${words.join(' ')} ended with ${code}: ${stderr.trim()}`)
}
