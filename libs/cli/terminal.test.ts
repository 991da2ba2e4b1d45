import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

const terminalUrl = new URL('terminal.ts', import.meta.url).href
const packageRoot = fileURLToPath(new URL('../..', import.meta.url))

test('a pipe is no terminal: no colours, also where CI is set', () => {
  const script = `
    const { terminalOf } = await import(${JSON.stringify(terminalUrl)})
    const { isInteractive, color, width } = terminalOf(process)
    console.log(JSON.stringify({ isInteractive, color, width }))`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
  const stdout = execFileSync(process.execPath, args, {
    cwd: packageRoot,
    env: { ...process.env, CI: 'true', COLUMNS: '90' },
    encoding: 'utf8',
  })

  expect(JSON.parse(stdout)).toEqual({ isInteractive: false, color: false, width: 90 })
})
