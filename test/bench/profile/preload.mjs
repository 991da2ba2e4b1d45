// Preloaded into a process with --import: writes CPU profiles of its main thread and of its worker threads when it ends.
// Node's own --cpu-prof cannot come in through NODE_OPTIONS, and that is the only way into processes that others start.
import { mkdirSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import path from 'node:path'
import { isMainThread, Worker } from 'node:worker_threads'

const samplingIntervalUs = 250
const {
  COSTATE_PROFILE_DIR: directory,
  COSTATE_PROFILE: wanted = '',
  COSTATE_SUPERVISE,
  COSTATE_SUPERVISED,
} = process.env
const isSupervisor = COSTATE_SUPERVISE !== undefined && COSTATE_SUPERVISED === undefined
const program = /services[/\\]([^/\\]+)[/\\]main\.cjs$/.exec(process.argv[1] ?? '')?.[1]
const service = isSupervisor ? 'supervisor' : (program ?? 'client')

if (isMainThread && directory !== undefined && (wanted === 'all' || wanted.split(/[\s,]+/).includes(service))) {
  mkdirSync(directory, { recursive: true })
  const session = new Session()
  session.connect()
  profileMainThread(session)
  profileWorkerThreads(session)
}

function write(name, profile) {
  writeFileSync(path.join(directory, `${service}-${process.pid}${name}.cpuprofile`), JSON.stringify(profile))
}

function profileMainThread(session) {
  session.post('Profiler.enable')
  session.post('Profiler.setSamplingInterval', { interval: samplingIntervalUs })
  session.post('Profiler.start')
  process.on('exit', () => session.post('Profiler.stop', (error, answer) => answer && write('', answer.profile)))
}

/** A thread that is ended has no last words: its profile is fetched before. */
function profileWorkerThreads(session) {
  const sessions = new Map()
  const questions = new Map()
  let lastId = 0
  const ask = (sessionId, method, params = {}) =>
    new Promise((resolve) => {
      const id = ++lastId
      questions.set(id, resolve)
      session.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id, method, params }) })
    })
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    const { id, result } = JSON.parse(params.message)
    questions.get(id)?.(result)
    questions.delete(id)
  })
  session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
    sessions.set(Number(workerInfo.workerId), sessionId)
    void ask(sessionId, 'Profiler.enable')
    void ask(sessionId, 'Profiler.setSamplingInterval', { interval: samplingIntervalUs })
    void ask(sessionId, 'Profiler.start')
  })
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })

  const { terminate } = Worker.prototype
  Worker.prototype.terminate = async function () {
    const sessionId = sessions.get(this.threadId)
    if (sessionId !== undefined) write(`-thread-${this.threadId}`, (await ask(sessionId, 'Profiler.stop')).profile)
    return await terminate.call(this)
  }
}
