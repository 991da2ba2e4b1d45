import { format } from 'node:util'

const levels = { debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error', trace: 'debug' } as const

/** What user code writes with console goes where ctx.log goes, with the same ids. */
export function captureConsole(write: (level: string, text: string) => void): void {
  for (const [method, level] of Object.entries(levels)) {
    console[method as keyof typeof levels] = (...values: unknown[]) => write(level, format(...values))
  }
}
