// Stands on PATH as sbatch, squeue, scancel and sacct: hands its words to the test that made it and says what that answers.
import { connect } from 'node:net'

const [socketPath, command, ...args] = process.argv.slice(2)
const stdin = command === 'sbatch' ? await readAll(process.stdin) : ''
const socket = connect(socketPath)
socket.on('error', () => {
  process.stderr.write(`${command}: error: Unable to contact slurm controller (connect failure)\n`)
  process.exitCode = 1
})
socket.end(JSON.stringify({ command, args, stdin }))
const answer = await readAll(socket)
if (answer !== '') {
  const { stdout, stderr, code } = JSON.parse(answer)
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  process.exitCode = code
}

async function readAll(stream) {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
