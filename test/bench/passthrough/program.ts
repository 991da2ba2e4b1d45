// A process that answers pulls and takes pushes, and pulls from another such process when its parent says its port. It ends when its
// parent disconnects.
import http2 from 'node:http2'

import {
  Server,
  ServerCredentials,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js'

import { connectPassthrough } from './client.js'
import { messageBytes, passthroughService, windowBytes } from './service.js'
import { writeAll } from './write-all.js'

const { createServer } = http2
// grpc-js has no option for the window of its servers.
http2.createServer = ((options: http2.ServerOptions) => {
  const settings = { ...options.settings, initialWindowSize: windowBytes }
  const made = createServer({ ...options, settings })
  return made.on('session', (session: http2.ServerHttp2Session) => session.setLocalWindowSize(windowBytes))
}) as typeof createServer

const server = new Server({ 'grpc.max_receive_message_length': 2 * messageBytes })
server.addService(passthroughService, {
  pull: (call: ServerWritableStream<Buffer, Buffer> & ServerUnaryCall<Buffer, Buffer>) => {
    void writeAll(call, Number(call.request.toString())).then(() => call.end())
  },
  push: (call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
    let bytes = 0
    call.on('data', (message: Buffer) => (bytes += message.byteLength))
    call.on('end', () => answer(null, Buffer.from(String(bytes))))
  },
})
process.on('disconnect', () => server.forceShutdown())
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error
  process.send?.({ port })
})
process.on('message', ({ port, bytes }: { port: number; bytes: number }) => {
  const passthrough = connectPassthrough(port)
  const startMs = performance.now()
  void passthrough.pull(bytes).then(() => {
    process.send?.({ seconds: (performance.now() - startMs) / 1000 })
    passthrough.close()
  })
})
