import { readCall } from './demo/flags.js'
import { runDemo } from './demo/run-demo.js'
import { demos } from './demos.js'

const call = readCall(
  process.argv,
  demos.map(({ name }) => name),
)
switch (call.kind) {
  case 'list':
    process.stdout.write(listDemos())
    break
  case 'refuse':
    process.stderr.write(`${call.message}\n`)
    process.exitCode = 2
    break
  case 'run':
    try {
      const isRight = await runDemo(
        demos.find(({ name }) => name === call.name)!,
        call.flags,
      )
      process.exitCode = isRight ? 0 : 1
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
      process.stderr.write(`the demo ${call.name} failed: ${reason}\n`)
      process.exitCode = 1
    }
    break
  default:
    call satisfies never
}

function listDemos(): string {
  const longest = Math.max(...demos.map(({ name }) => name.length))
  return demos.map(({ name, title }) => `  ${name.padEnd(longest)}  ${title}\n`).join('')
}
