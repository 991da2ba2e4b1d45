import { expect, test } from 'vitest'
import * as z from 'zod/mini'

import { readConfig } from './index.js'

const schema = z.object({
  meshDir: z.string(),
  listenAddress: z._default(z.string(), '127.0.0.1:0'),
  slots: z._default(z.coerce.number().check(z.int(), z.positive()), 1),
})

test('flags win over variables, and defaults fill the rest', () => {
  const env = { COSTATE_MESH_DIR: '/from-env', COSTATE_SLOTS: '2' }
  expect(readConfig(schema, ['--mesh-dir', '/from-flag'], env)).toEqual({
    meshDir: '/from-flag',
    listenAddress: '127.0.0.1:0',
    slots: 2,
  })
})

test('every wrong setting is named with its flag and variable', () => {
  expect(() => readConfig(schema, ['--slots', '0'], {})).toThrow(
    /--mesh-dir \(COSTATE_MESH_DIR\): is required\n--slots \(COSTATE_SLOTS\): Too small: expected number to be >0/,
  )
})

test('a setting that is false unless set is a flag without a value, or a variable', () => {
  const switches = z.object({ verifyInputs: z._default(z.stringbool(), false), slots: z._default(z.string(), '1') })
  expect(readConfig(switches, [], {})).toMatchObject({ verifyInputs: false })
  expect(readConfig(switches, ['--verify-inputs', '--slots', '2'], {})).toEqual({ verifyInputs: true, slots: '2' })
  expect(readConfig(switches, [], { COSTATE_VERIFY_INPUTS: 'true' })).toMatchObject({ verifyInputs: true })
  expect(() => readConfig(switches, [], { COSTATE_VERIFY_INPUTS: 'perhaps' })).toThrow('--verify-inputs (COSTATE_')
})

test('an unknown flag is refused', () => {
  expect(() => readConfig(schema, ['--mesh-dri', 'x'], {})).toThrow('--mesh-dri')
})
