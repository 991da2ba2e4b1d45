#!/usr/bin/env node
import { createProgram } from './program.js'
import { runProgram } from './run-program.js'
import { terminalOf } from './terminal.js'

const terminal = terminalOf(process)
const code = await runProgram(createProgram(terminal), process.argv.slice(2), terminal)
// A task module that was loaded may hold timers or sockets: what was asked for is done, and nobody waits for them.
process.stdout.write('', () => process.exit(code))
