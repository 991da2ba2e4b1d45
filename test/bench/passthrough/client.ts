import { once } from 'node:events'

import {
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  makeGenericClientConstructor,
} from '@grpc/grpc-js'

import { messageBytes, passthroughService, windowBytes } from './service.js'
import { writeAll } from './write-all.js'

/** The client's end of the passthrough service. */
export interface Passthrough {
  pull(bytes: number): Promise<void>
  push(bytes: number): Promise<void>
  close(): void
}

interface PassthroughClient {
  pull(request: Buffer): ClientReadableStream<Buffer>
  push(answered: (error: Error | null, answer?: Buffer) => void): ClientWritableStream<Buffer>
  close(): void
}

export function connectPassthrough(port: number): Passthrough {
  const Client = makeGenericClientConstructor(passthroughService, 'PassthroughService')
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc-node.flow_control_window': windowBytes,
    'grpc.max_receive_message_length': 2 * messageBytes,
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
  }) as unknown as PassthroughClient
  return {
    pull: async (bytes) => {
      let got = 0
      const call = client.pull(Buffer.from(String(bytes)))
      call.on('data', (message: Buffer) => (got += message.byteLength))
      await once(call, 'end')
      if (got !== bytes) throw new Error(`the passthrough stream brought ${got} of ${bytes} bytes`)
    },
    push: async (bytes) => {
      let call!: ClientWritableStream<Buffer>
      const answered = new Promise<string>((resolve, reject) => {
        call = client.push((error, answer) => (error ? reject(error) : resolve(String(answer))))
      })
      await writeAll(call, bytes)
      call.end()
      if ((await answered) !== String(bytes)) throw new Error('the passthrough stream lost bytes')
    },
    close: () => client.close(),
  }
}
