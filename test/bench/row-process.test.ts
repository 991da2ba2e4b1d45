import { expect, test } from 'vitest'

import { measureApart } from './row-process.js'

const order = { repeats: 1, dask: undefined, runDir: '/nowhere' }

test('a row that cannot be measured in its process says why', async () => {
  await expect(measureApart({ ...order, name: 'nonsense' })).rejects.toThrow('there is no row nonsense')
})
