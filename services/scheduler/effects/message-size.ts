import type { LinkResponse, Result, SessionResponse } from '#libs/proto'

/** What a message, and each thing that it lists, takes besides the contents that are counted. */
const baseBytes = 128

/** About how many bytes a client is told: encoding the message to know would cost as much as sending it. */
export function sizeOfTold({ message }: SessionResponse): number {
  switch (message?.$case) {
    case 'settled':
      return sum(message.value.tasks, ({ outcome }) => {
        if (outcome?.$case === 'result') return sizeOfResult(outcome.value)
        return (outcome?.value.message.length ?? 0) + (outcome?.value.stack.length ?? 0)
      })
    case 'logs':
      return sum(message.value.lines, ({ text }) => text.length)
    case 'progress':
      return sum(message.value.tasks, (progress) => progress.message.length)
    case 'lost':
      return sum(message.value.objectIds, (id) => id.length)
    default:
      return baseBytes
  }
}

/** About how many bytes a worker is told. */
export function sizeOfCommand({ command }: LinkResponse): number {
  switch (command?.$case) {
    case 'runTasks': {
      const { jobs, tasks } = command.value
      const contexts = sum(jobs, ({ functions }) => baseBytes * functions.length)
      return (
        contexts +
        sum(tasks, ({ input, inputs }) => input.byteLength + sum(inputs, ({ result }) => sizeOfResult(result)))
      )
    }
    case 'acknowledgeEnds':
    case 'cancelTasks':
    case 'resumeTasks':
      return baseBytes * (1 + command.value.attempts.length)
    case 'releaseArchives':
      return baseBytes * (1 + command.value.objects.length)
    case 'releaseObjects':
      return sum(command.value.objectIds, (id) => id.length)
    default:
      return baseBytes
  }
}

function sizeOfResult(result: Result | undefined): number {
  return result?.location?.$case === 'payload' ? result.location.value.byteLength : baseBytes
}

function sum<Item>(items: readonly Item[], sizeOf: (item: Item) => number): number {
  return items.reduce((total, item) => total + baseBytes + sizeOf(item), baseBytes)
}
