import { type ChannelOptions, experimental, status } from '@grpc/grpc-js'

type Resolver = experimental.Resolver
type Listener = experimental.ResolverListener
type Uri = experimental.GrpcUri
type Endpoints = Parameters<Listener>[0]

const SCHEME = 'costate'
let registered = false

/** Says where the server listens now (host:port, best first). */
export type AddressSource = () => Promise<readonly string[]>

const SOURCE_SCHEME = 'costate-source'
const sources = new Map<string, AddressSource>()
let sourceCount = 0

/** The grpc-js target for a source of addresses. It lives as long as the process: there are few. */
export function targetOfSource(source: AddressSource): string {
  if (sourceCount === 0) experimental.registerResolver(SOURCE_SCHEME, SourceResolver)
  const key = String(++sourceCount)
  sources.set(key, source)
  return `${SOURCE_SCHEME}:${key}`
}

/**
 * The grpc-js target for a list of `host:port`, tried in this order. grpc-js itself only takes lists of IP addresses;
 * hosts of a cluster have names.
 */
export function targetOf(addresses: readonly string[]): string {
  const [first] = addresses
  if (first !== undefined && addresses.length === 1) return `dns:${first}`
  if (!registered) experimental.registerResolver(SCHEME, AddressListResolver)
  registered = true
  return `${SCHEME}:${addresses.join(',')}`
}

/** Resolves every address of the list by DNS and reports all their endpoints in the order of the list. */
class AddressListResolver implements Resolver {
  private readonly resolvers: Resolver[]
  private readonly results: (Endpoints | undefined)[]

  constructor(target: Uri, listener: Listener, options: ChannelOptions) {
    const addresses = target.path.split(',')
    this.results = addresses.map(() => undefined)
    this.resolvers = addresses.map((path, index) => {
      const onResult: Listener = (endpoints) => {
        this.results[index] = endpoints
        const merged = this.merge()
        return merged === undefined ? true : listener(merged, {}, null, '')
      }
      return experimental.createResolver({ scheme: 'dns', path }, onResult, options)
    })
  }

  static getDefaultAuthority(target: Uri): string {
    return target.path.split(',')[0] ?? ''
  }

  updateResolution(): void {
    for (const resolver of this.resolvers) resolver.updateResolution()
  }

  destroy(): void {
    for (const resolver of this.resolvers) resolver.destroy()
  }

  /** Nothing until every address has been looked up once, so that the order of the list decides, not the DNS. */
  private merge(): Endpoints | undefined {
    const known = this.results.filter((result) => result !== undefined)
    if (known.length < this.results.length) return undefined
    const endpoints = known.flatMap((result) => (result.ok ? result.value : []))
    if (endpoints.length > 0) return experimental.statusOrFromValue(endpoints)
    const failures = known.flatMap((result) => (result.ok ? [] : [result.error.details]))
    return experimental.statusOrFromError({ code: status.UNAVAILABLE, details: failures.join('; ') })
  }
}

/** Asks the source whenever grpc-js wants to know more: at first, and after each connection that failed or ended. */
class SourceResolver implements Resolver {
  private readonly source: AddressSource
  private readonly listener: Listener
  private readonly options: ChannelOptions
  private known = ''
  private list: AddressListResolver | undefined
  private asking = false
  private destroyed = false

  constructor(target: Uri, listener: Listener, options: ChannelOptions) {
    const source = sources.get(target.path)
    if (source === undefined) throw new Error(`${target.path} names no source of addresses`)
    this.source = source
    this.listener = listener
    this.options = options
  }

  static getDefaultAuthority(): string {
    return 'costate'
  }

  updateResolution(): void {
    if (this.asking) return
    this.asking = true
    this.source().then(
      (addresses) => this.take(addresses),
      (error: unknown) => this.fail(error as Error),
    )
  }

  destroy(): void {
    this.destroyed = true
    this.list?.destroy()
  }

  private take(addresses: readonly string[]): void {
    this.asking = false
    if (this.destroyed) return
    const path = addresses.join(',')
    if (path !== this.known) {
      this.list?.destroy()
      this.known = path
      this.list = new AddressListResolver({ scheme: SCHEME, path }, this.listener, this.options)
    }
    this.list?.updateResolution()
  }

  private fail({ message }: Error): void {
    this.asking = false
    if (this.destroyed) return
    this.listener(experimental.statusOrFromError({ code: status.UNAVAILABLE, details: message }), {}, null, '')
  }
}
