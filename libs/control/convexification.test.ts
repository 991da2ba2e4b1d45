import { expect, test } from 'vitest'
import { createRng } from '#libs/domain'
import { projectSemidefinite } from './convexification.js'

test('the projection keeps the positive part of the spectrum', () => {
  // Eigenvalues 3 and -1 along (1, 1) and (1, -1): what stays is 3/2 everywhere, and a trace of the second.
  const block = Float64Array.of(1, 2, 1)
  projectSemidefinite(block, 2)
  expect(block[0]).toBeCloseTo(1.5, 7)
  expect(block[1]).toBeCloseTo(1.5, 7)
  expect(block[2]).toBeCloseTo(1.5, 7)
  expect(block[0]! * block[2]! - block[1]! ** 2).toBeGreaterThan(0)
})

test('a block that is positive definite already stays as it is, bit for bit', () => {
  const block = Float64Array.of(2, 0.3, 1, -0.1, 0.2, 5)
  const before = block.slice()
  projectSemidefinite(block, 3)
  expect(block).toEqual(before)
})

test.each([2, 3, 5, 8])('random indefinite blocks of %i rows end up semidefinite', (size) => {
  for (let stream = 0; stream < 10; stream++) {
    const block = createRng(size, stream).normals((size * (size + 1)) / 2)
    projectSemidefinite(block, size)
    for (const direction of Array.from({ length: 20 }, (_, i) => createRng(size + 100, i).normals(size))) {
      let form = 0
      for (let i = 0, at = 0; i < size; i++) {
        for (let j = 0; j <= i; j++, at++) form += (i === j ? 1 : 2) * block[at]! * direction[i]! * direction[j]!
      }
      expect(form).toBeGreaterThan(-1e-12)
    }
  }
})
