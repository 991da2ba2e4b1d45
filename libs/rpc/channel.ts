import { Channel, type ChannelOptions } from '@grpc/grpc-js'
import { type HostPort, isLoopback, parseAddress } from './address.js'
import { type AddressSource, targetOf, targetOfSource } from './address-list.js'
import { readIntoUsedMemory } from './frame-reader.js'
import { createClientCredentials } from './security/credentials.js'
import type { Role } from './security/role.js'
import type { Security } from './security/security.js'

export interface RpcChannelOptions {
  readonly security: Security
  /** Who must be at the other end; with TLS its certificate must say so. */
  readonly serverRole: Role
  /** Bulk bytes and control messages never share a connection. */
  readonly kind: 'control' | 'bulk'
  /** Unary calls go on being repeated until their deadline, for who lives on beside a server that is started again. */
  readonly isPatient?: boolean
}

/** What a client needs to know of the channel that it was made on. */
export interface ChannelFacts {
  readonly token: string
  /** The one server behind the channel, for spans; undefined when there are several. */
  readonly server: HostPort | undefined
  readonly kind: RpcChannelOptions['kind']
  readonly isPatient: boolean
}

const factsOfChannel = new WeakMap<Channel, ChannelFacts>()

/**
 * A channel to the first of the addresses (`host:port`) that answers; it connects with the first call and reconnects
 * by itself. A source of addresses is asked again each time: a server that was started anew may listen elsewhere. Throws off loopback without TLS, since the token would travel in clear text. Close it with
 * `closeRpcChannel`.
 */
export function createRpcChannel(
  address: string | readonly string[] | AddressSource,
  options: RpcChannelOptions,
): Channel {
  readIntoUsedMemory()
  const credentials = createClientCredentials(options.security, options.serverRole)
  if (typeof address === 'function') {
    const checked = async (): Promise<readonly string[]> => {
      const addresses = await address()
      checkAddresses(addresses, options.security)
      return addresses
    }
    const channel = new Channel(targetOfSource(checked), credentials, channelOptions(options.kind))
    factsOfChannel.set(channel, factsFrom(options, undefined))
    return channel
  }
  const addresses = typeof address === 'string' ? [address] : address
  const hosts = checkAddresses(addresses, options.security)
  const channel = new Channel(targetOf(addresses), credentials, channelOptions(options.kind))
  const server = hosts.length === 1 ? hosts[0] : undefined
  factsOfChannel.set(channel, factsFrom(options, server))
  return channel
}

function factsFrom(
  { security, kind, isPatient = false }: RpcChannelOptions,
  server: HostPort | undefined,
): ChannelFacts {
  return { token: security.token, server, kind, isPatient }
}

function checkAddresses(addresses: readonly string[], { tls }: Security): HostPort[] {
  if (addresses.length === 0) throw new Error('A channel needs an address: the list is empty.')
  const hosts = addresses.map(parseAddress)
  const exposed = hosts.findIndex(({ host }) => !isLoopback(host))
  if (exposed >= 0 && tls === undefined) throw new Error(withoutTls(addresses[exposed] ?? ''))
  return hosts
}

/** Ends the channel; calls on it fail from now on. */
export function closeRpcChannel(channel: Channel): void {
  channel.close()
}

/** The facts of a channel that `createRpcChannel` made; throws for any other. */
export function factsOf(channel: Channel): ChannelFacts {
  const facts = factsOfChannel.get(channel)
  if (facts === undefined) throw new Error('The channel was not made by createRpcChannel and has no token.')
  return facts
}

const MIB = 2 ** 20

function channelOptions(kind: RpcChannelOptions['kind']): ChannelOptions {
  const bulk = kind === 'bulk'
  return {
    'grpc.max_receive_message_length': 16 * MIB,
    'grpc.max_send_message_length': 16 * MIB,
    'grpc-node.flow_control_window': (bulk ? 8 : 1) * MIB,
    // Without it grpc-js would put channels to the same server on one connection.
    'grpc.use_local_subchannel_pool': 1,
    // Bulk streams resume by their own protocol. Without room in the retry buffer, which holds 1 MiB per call even when nothing is
    // retried, a message counts as written when the socket has it: `large-message.ts` then frees its memory.
    'grpc.enable_retries': bulk ? 0 : 1,
    ...(bulk && { 'grpc.per_rpc_retry_buffer_size': 0 }),
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
    'grpc.initial_reconnect_backoff_ms': 100,
    // A scheduler that was started again is found within this; a failed dial on a local network costs nothing.
    'grpc.max_reconnect_backoff_ms': 1_000,
    // HPC sites set proxy variables for the web; the mesh is never behind them.
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    // Servers are known by role; a fixed name spares Node's warning about IP addresses as TLS server names.
    'grpc.ssl_target_name_override': 'costate',
  }
}

function withoutTls(address: string): string {
  return (
    `Refusing to dial ${address} without TLS: the mesh's token would travel in clear text. ` +
    'Make the mesh folder with createMeshSecurity(folder, { tls: true }) on both sides.'
  )
}
