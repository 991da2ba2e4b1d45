/**
 * How values of a class travel. `encode` and `decode` may use values of other classes that have codecs; what is between them is
 * anything that travels: plain values, and typed arrays, which never become text.
 */
export interface Codec<T extends object = object, E = unknown> {
  /** Whether the value is one of these. Asked of every object that is no plain one and no array, so it must be cheap. */
  test(value: object): boolean
  /** The value's parts. */
  encode(value: T): E
  /** The value of these parts, which belong to it alone. */
  decode(parts: E): T
}

/** Codecs by their names. */
export type Codecs = ReadonlyMap<string, Codec>

const own = new Map<string, Codec>()

/** Every copy of the library marks its tasks with its own codecs: two bundles in one thread may use the same name. */
const codecsBrand = Symbol.for('costate.codecs')

/** Letters, digits and a few signs: names stand in messages. */
const codecName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/**
 * Lets values of a class of your own be arguments and results, scattered and checkpointed, at any depth:
 *
 *     registerCodec('interval', {
 *       test: (value) => value instanceof Interval,
 *       encode: ({ low, high }: Interval) => [low, high] as const,
 *       decode: ([low, high]) => new Interval(low, high),
 *     })
 *
 * Call it where the module of the tasks is evaluated (in it, or in one that it imports, such as that of the class), so that
 * program and tasks both do. Who gets a value by a codec that it does not have says which one.
 * @param name what both ends call it; letters, digits, dots, dashes and underscores, at most 128.
 * @throws TypeError for a bad name or codec, and for a name that is taken.
 */
export function registerCodec<T extends object, E>(name: string, codec: Codec<T, E>): void {
  if (typeof name !== 'string' || !codecName.test(name)) {
    const message = 'a codec needs a name of letters, digits, dots, dashes and underscores, at most 128 of them'
    throw new TypeError(`registerCodec(${JSON.stringify(name)}, …): ${message}`)
  }
  const lacking = (['test', 'encode', 'decode'] as const).find(
    (key) => typeof (codec as Partial<typeof codec> | undefined)?.[key] !== 'function',
  )
  if (lacking !== undefined) {
    throw new TypeError(`registerCodec('${name}', …): a codec has three functions, and ${lacking} is none`)
  }
  if (own.has(name)) {
    const message =
      'a codec of this name is registered already: register each once, and give another class another name'
    throw new TypeError(`registerCodec('${name}', …): ${message}`)
  }
  own.set(name, codec)
}

/** The codecs of this copy of the library. */
export const ownCodecs: Codecs = own

/** What a task carries of its copy of the library. */
export const codecsOfThisCopy = { [codecsBrand]: ownCodecs }

/** The codecs of the task's module. */
export function codecsOf(task: object): Codecs {
  return (task as { [codecsBrand]?: Codecs })[codecsBrand] ?? ownCodecs
}
