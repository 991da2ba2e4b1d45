import { availableParallelism } from 'node:os'
import { afterEach, expect, test, vi } from 'vitest'
import { readFlags } from './flags.js'

const argv = (...flags: string[]): string[] => ['node', 'main.js', ...flags]

afterEach(() => vi.restoreAllMocks())

test('without flags: one worker per core, 240 problems', () => {
  const flags = { workers: availableParallelism(), threadsPerWorker: 1, problems: 240, seed: 1 }
  expect(readFlags(argv())).toEqual(flags)
})

test('every flag is read', () => {
  const flags = argv(
    '--workers',
    '3',
    '--threads-per-worker=2',
    '--problems',
    '24',
    '--seed',
    '9',
    '--out',
    'dir',
    '--profile',
    '--warm-start',
  )
  expect(readFlags(flags)).toEqual({
    workers: 3,
    threadsPerWorker: 2,
    problems: 24,
    seed: 9,
    out: 'dir',
    profile: true,
    warmStart: true,
  })
})

test.each([
  ['--workers', '0'],
  ['--workers', 'two'],
  ['--threads-per-worker', '257'],
  ['--problems', '5'],
  ['--problems', '24.5'],
  ['--seed', '-1'],
  ['--seed', ''],
])('%s %s ends with code 2 and says what is allowed', (flag, value) => {
  const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`)
  })
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  expect(() => readFlags(argv(`${flag}=${value}`))).toThrow('exit 2')
  expect(exit).toHaveBeenCalledWith(2)
  expect(write.mock.calls.join('')).toMatch(new RegExp(`${flag} .* give a whole number from \\d+ to \\d+`))
})
