import { parseArgs } from 'node:util'

import * as z from 'zod/v4/core'
import en from 'zod/v4/locales/en.js'

/** What a process was told cannot be used; the message lists every setting that is wrong, with its flag and variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/**
 * A service's configuration from flags and environment, read and checked once at start. A setting `meshDir` is the flag
 * `--mesh-dir` or the variable `COSTATE_MESH_DIR`; the flag wins. The schema turns text into values and knows defaults. One that
 * is true or false, and false unless set, is a flag without a value: `--verify-inputs`, or `COSTATE_VERIFY_INPUTS=true`.
 *
 * @throws ConfigError for unknown flags and for values that the schema refuses.
 */
export function readConfig<Schema extends z.$ZodObject>(
  schema: Schema,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Readonly<z.output<Schema>> {
  const { shape } = schema._zod.def
  const keys = Object.keys(shape)
  const flags = readFlags(shape, argv)
  const raw: Record<string, string> = {}
  for (const key of keys) {
    const text = flags[flagOf(key)] ?? env[variableOf(key)]
    if (text !== undefined && text !== '') raw[key] = String(text)
  }
  // The light variant of zod has no messages of its own.
  z.config(en())
  const parsed = z.safeParse(schema, raw)
  if (parsed.success) return Object.freeze(parsed.data)
  const problems = parsed.error.issues.map(({ path, message }) => {
    const key = String(path[0] ?? '')
    return `--${flagOf(key)} (${variableOf(key)}): ${raw[key] === undefined ? 'is required' : message}`
  })
  throw new ConfigError(problems.join('\n'))
}

function readFlags(
  shape: z.$ZodShape,
  argv: readonly string[],
): Readonly<Record<string, string | boolean | undefined>> {
  const options = Object.fromEntries(
    Object.entries(shape).map(([key, schema]) => {
      const type = z.safeParse(schema, undefined).data === false ? ('boolean' as const) : ('string' as const)
      return [flagOf(key), { type }]
    }),
  )
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new ConfigError((error as Error).message, { cause: error })
  }
}

function flagOf(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function variableOf(key: string): string {
  return `COSTATE_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}
