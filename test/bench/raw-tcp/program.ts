// The far end of raw TCP connections: sends or takes so many bytes for each, as the first of them says. Ends with its standard input.
import { createServer } from 'node:net'

import { give, take } from './raw-tcp.js'

const [host, bytes] = process.argv.slice(2)
const server = createServer((socket) => {
  socket.once('data', (first) => {
    // What it is to do comes alone: the other end waits for the answer.
    const work = first.toString() === 'give' ? give(socket, Number(bytes)) : take(socket, Number(bytes), 'done')
    socket.on('error', () => undefined)
    void work.catch(() => undefined)
    if (first.toString() === 'take') socket.write('ready')
  })
})
server.listen(0, host, () => process.stdout.write(`${(server.address() as { port: number }).port}\n`))
process.stdin.on('end', () => process.exit()).resume()
