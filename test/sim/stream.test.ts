import { expect, test } from 'vitest'

import { Stream } from './stream.js'
import { World } from './world.js'

test.each(Array.from({ length: 50 }, (_, seed) => seed))(
  'what is said before and in a stall arrives in the order in which it was said (seed %i)',
  (seed) => {
    const world = new World(seed)
    const heard: number[] = []
    const stream = new Stream<number, never>(world, { heard: () => undefined, closed: () => undefined })
    stream.accept({ heard: (message) => heard.push(message), closed: () => undefined })
    for (let message = 0; message < 20; message++) {
      world.after(message, () => stream.up(message))
    }
    world.after(8, () => stream.stall(500))
    world.runFor(5_000)
    expect(heard).toEqual(Array.from({ length: 20 }, (_, message) => message))
  },
)
