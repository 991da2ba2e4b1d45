import { isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** Reads `host:port` or `[ipv6]:port`; throws for anything else. */
export function parseAddress(address: string): HostPort {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\],]+)):(\d{1,5})$/.exec(address) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (host === undefined || port > 65_535 || (bracketed !== undefined && !isIPv6(bracketed))) {
    throw new Error(`'${address}' is no address. Write host:port or [ipv6]:port, such as 127.0.0.1:0.`)
  }
  return { host, port }
}

/** Writes `host:port`, an IPv6 host in brackets. */
export function formatAddress({ host, port }: HostPort): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

/** Whether traffic to the host stays on this machine. */
export function isLoopback(host: string): boolean {
  if (isIPv4(host)) return host.startsWith('127.')
  return host.toLowerCase() === 'localhost' || host === '::1' || /^::ffff:127\./i.test(host)
}

/** A host that others can dial when a server listens on `host`: a wildcard is none, so our first outward address. */
export function dialableHost(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host
  const outward = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
  const chosen = outward.find(({ family }) => family === 'IPv4') ?? (host === '::' ? outward[0] : undefined)
  return chosen?.address ?? (host === '::' ? '::1' : '127.0.0.1')
}
