import { expect, test } from 'vitest'

import { rules } from './rules.js'
import { sourceFile } from './source-tree.js'

/** Files of a made-up project, by path. */
type Project = Readonly<Record<string, string>>

const direction = 'imports go in one direction, and to a lib through its door'
const cycle = 'nothing is imported in a circle'
const packages = 'what runs needs only what is installed with it'
const layers = 'in a service: main → service → loop → core → domain'
const purity = 'a core knows no clock, no dice, no process and no promise'
const serviceFiles = 'every service has the same files'
const noAny = 'no any, but on a few marked lines'
const defaults = 'no default exports'
const asserting = 'every test asserts something that can fail'
const waiting = 'no test waits for time'
const length = 'no file is too long to read'
const kebab = 'names are in kebab-case'
const vague = 'names say what a thing is'
const promise = 'what is not done is an issue, not a note'
const machine = 'nothing depends on one machine'

// Put together, so that this file does not hold what it plants.
const note = ['TO', 'DO'].join('')
const home = ['', 'home', 'somebody', 'mesh'].join('/')
const registry = ['registry', 'example', 'com'].join('.')

function check(rule: string, project: Project): string[] {
  return rules[rule]!(Object.entries(project).map(([path, text]) => sourceFile(path, text)))
}

const manifest = JSON.stringify({ name: 'costate', dependencies: { zod: '1' }, devDependencies: { vitest: '1' } })
const oddLines = (count: number): string => 'x\n'.repeat(count)

test.each<[rule: string, planted: Project, complaint: RegExp]>([
  [
    direction,
    { 'libs/domain/a.ts': `import { x } from '#libs/rpc'` },
    /a\.ts:1: libs\/domain may not import libs\/rpc/,
  ],
  [direction, { 'libs/new/a.ts': `import '#libs/domain'` }, /libs\/new may not import libs\/domain/],
  [direction, { 'libs/rpc/a.ts': `\nexport * from '#libs/client'` }, /a\.ts:2: libs\/rpc may not import libs\/client/],
  [direction, { 'libs/rpc/a.ts': `type A = import('#libs/client').A` }, /libs\/rpc may not import libs\/client/],
  [direction, { 'libs/rpc/a.ts': `const a = await import('#libs/journal')` }, /libs\/rpc may not import libs\/journal/],
  [direction, { 'libs/rpc/a.ts': `import { x } from '../domain/ids.js'` }, /a lib is imported as #libs\/domain/],
  [direction, { 'libs/rpc/a.ts': `import { x } from '#libs/domain/ids'` }, /a lib is imported as #libs\/domain/],
  [direction, { 'libs/rpc/a.ts': `import { x } from '#libs/rpc'` }, /inside libs\/rpc imports are relative/],
  [direction, { 'libs/cli/a.ts': `import '../../services/worker/main.js'` }, /a lib never imports a service/],
  [
    direction,
    { 'services/worker/loop.ts': `import '../scheduler/loop.js'` },
    /a service never imports another service/,
  ],
  [direction, { 'services/worker/service.ts': `import '#libs/client'` }, /services do not import client/],
  [direction, { 'services/worker/service.ts': `import '#libs/control'` }, /services do not import control/],
  [direction, { 'libs/rpc/a.ts': `import '../../test/harness/mesh.js'` }, /only tests import from test/],
  [direction, { 'libs/rpc/a.ts': `import '../proto/gen/x.js'` }, /generated code comes only through/],
  [direction, { 'test/e2e/a.test.ts': `import '../../libs/proto/gen/x.js'` }, /generated code comes only through/],
  [
    cycle,
    { 'libs/a/one.ts': `import './two.js'`, 'libs/a/two.ts': `import './one.js'` },
    /one\.ts → .*two\.ts → .*one\.ts/,
  ],
  [
    cycle,
    {
      'libs/a/index.ts': `import '#libs/b'`,
      'libs/b/index.ts': `import './c.js'`,
      'libs/b/c.ts': `import { a } from '#libs/a'`,
    },
    /libs\/a\/index\.ts → libs\/b\/index\.ts → libs\/b\/c\.ts → libs\/a\/index\.ts/,
  ],
  [cycle, { 'libs/a/self.ts': `import './self.js'` }, /self\.ts → libs\/a\/self\.ts/],
  [
    packages,
    { 'package.json': manifest, 'libs/a/b.ts': `import { test } from 'vitest'` },
    /vitest is a development depend/,
  ],
  [
    packages,
    { 'package.json': manifest, 'libs/a/b.ts': `import '@scope/lib/deep'` },
    /@scope\/lib is not in package\.json/,
  ],
  [waiting, { 'libs/a/b.test.ts': `import { setTimeout as pause } from 'node:timers/promises'` }, /waits for time/],
  [waiting, { 'libs/a/b.test.ts': `await new Promise((done) => setTimeout(done, 50))` }, /setTimeout waits for time/],
  [waiting, { 'test/harness/mesh.ts': `const timer = setInterval(look, 50)` }, /setInterval waits for time/],
  [packages, { 'package.json': manifest, 'libs/a/b.test.ts': `import 'lodash'` }, /lodash is not in package\.json/],
  [layers, { 'services/worker/core/a.ts': `import fs from 'node:fs'` }, /a core imports only itself.*node:fs/],
  [
    layers,
    { 'services/worker/core/a.ts': `import type { X } from '#libs/rpc'` },
    /a core imports only itself.*#libs\/rpc/,
  ],
  [layers, { 'services/worker/core/a.ts': `import type { X } from '../loop.js'` }, /a core imports only itself.*loop/],
  [
    layers,
    { 'services/worker/rpc/a.ts': `import { decide } from '../core/decide.js'` },
    /only the loop changes the state/,
  ],
  [
    layers,
    { 'services/worker/exec/a.ts': `import { decide, type E } from '../core/decide.js'` },
    /only the loop changes the state/,
  ],
  [layers, { 'services/worker/rpc/a.ts': `import { startLoop } from '../loop.js'` }, /only service\.ts runs the loop/],
  [
    layers,
    { 'services/worker/loop.ts': `import { send } from './rpc/send.js'` },
    /the loop gets its rim through ports/,
  ],
  [layers, { 'services/worker/loop.ts': `import type { X } from './service.js'` }, /only main\.ts imports service\.ts/],
  [
    layers,
    { 'services/worker/main.ts': `import { decide } from './core/decide.js'` },
    /main\.ts imports service\.ts and/,
  ],
  [layers, { 'services/worker/service.ts': `import './main.js'` }, /nobody imports main\.ts/],
  [purity, { 'services/worker/core/a.ts': `const now = Date.now()` }, /a\.ts:1: Date\.now in a core/],
  [purity, { 'services/worker/core/a.ts': `const now = new Date()` }, /the clock in a core/],
  [purity, { 'services/worker/core/a.ts': `const dice = Math.random()` }, /Math\.random in a core/],
  [purity, { 'services/worker/core/a.ts': `setTimeout(() => 1, 2)` }, /setTimeout in a core/],
  [purity, { 'services/worker/core/a.ts': `const later = setInterval` }, /setInterval in a core/],
  [purity, { 'services/worker/core/a.ts': `const id = process.pid` }, /process in a core/],
  [purity, { 'services/worker/core/a.ts': `async function a() {}` }, /async in a core/],
  [purity, { 'services/worker/core/a.ts': `for await (const x of y) x()` }, /async in a core/],
  [purity, { 'services/worker/core/a.ts': `type A = Promise<number>` }, /Promise in a core/],
  [serviceFiles, { 'services/worker/main.ts': '' }, /services\/worker:1: README\.md is missing/],
  [serviceFiles, { 'services/worker/extra.ts': '' }, /services\/worker:1: extra\.ts is not in the plan/],
  [serviceFiles, { 'services/worker/more/a.ts': '' }, /services\/worker:1: more\/ is not in the plan/],
  [noAny, { 'libs/a/b.ts': `\nlet a: any` }, /b\.ts:2: any/],
  [noAny, { 'services/a/b.ts': `f(x as any)` }, /b\.ts:1: any/],
  [noAny, { 'libs/a/b.ts': `let a: any // any: their type\n`.repeat(11) }, /11 marked uses of any/],
  [defaults, { 'libs/a/b.ts': `export default 1` }, /b\.ts:1: default export/],
  [defaults, { 'libs/a/b.ts': `export default function f() {}` }, /default export/],
  [defaults, { 'libs/a/b.ts': `const a = 1\nexport { a as default }` }, /b\.ts:2: default export/],
  [asserting, { 'libs/a.test.ts': `test('a', () => { run() })` }, /a\.test\.ts:1: this test asserts nothing/],
  [asserting, { 'libs/a.test.ts': `test.each([1])('a', (n) => { run(n) })` }, /this test asserts nothing/],
  [asserting, { 'libs/a.test.ts': `test('a', () => { expect(run()) ; expect(true).toBe(true) })` }, /cannot fail/],
  [asserting, { 'libs/a.test.ts': `test.only('a', () => { expect(run()).toBe(1) })` }, /test\.only leaves tests out/],
  [asserting, { 'libs/a.test.ts': `test.skip('a', () => { expect(run()).toBe(1) })` }, /test\.skip leaves tests out/],
  [
    asserting,
    { 'libs/a.test.ts': `const helpless = () => run()\ntest('a', () => helpless())` },
    /:2: this test asserts/,
  ],
  [asserting, { 'libs/a.test.ts': `import 'x'` }, /there is no test in this file/],
  [length, { 'libs/a/b.ts': oddLines(401) }, /b\.ts:401: 401 lines/],
  [kebab, { 'libs/a/bC.ts': '' }, /'bC' is not in kebab-case/],
  [kebab, { 'libs/a_b/c.ts': '' }, /'a_b' is not in kebab-case/],
  [kebab, { 'test/polyglot/some-Client.py': '' }, /'some-Client' is not/],
  [vague, { 'libs/a/utils.ts': '' }, /'utils' says nothing/],
  [vague, { 'libs/common/a.ts': '' }, /'common' says nothing/],
  [vague, { 'libs/a/types.ts': '' }, /'types' says nothing/],
  [vague, { 'libs/a/job-manager.ts': '' }, /'job-manager' says nothing/],
  [vague, { 'libs/a/helpers.test.ts': '' }, /'helpers' says nothing/],
  [vague, { 'libs/a/b.ts': `class JobManager {}` }, /'JobManager' says nothing/],
  [vague, { 'libs/a/b.ts': `interface BaseJob {}` }, /'BaseJob' says nothing/],
  [promise, { 'libs/a/b.ts': `\n// ${note}: later` }, /b\.ts:2: .* is a promise/],
  [promise, { 'proto/a.proto': `// ${note}` }, /is a promise/],
  [machine, { 'libs/a/b.ts': `const dir = '${home}'` }, /is a path of one machine/],
  [machine, { 'deploy/a.yaml': `image: ${registry}/costate` }, /is a host of one site/],
  [machine, { 'package-lock.json': `"resolved": "https://${registry}/zod"` }, /is a host of one site/],
])('%s: a violation is found (%#)', (rule, planted, complaint) => {
  expect(check(rule, planted).join('\n')).toMatch(complaint)
})

const worker = ['README.md', 'config.ts', 'loop.ts', 'main.ts', 'metrics.ts', 'service.ts', 'service.test.ts']
  .concat(['core/state.ts', 'rpc/link.ts', 'exec/threads.ts', 'objects/store.ts'])
  .map((file) => [`services/worker/${file}`, ''])

test.each<[rule: string, allowed: Project]>([
  [direction, { 'libs/rpc/a.ts': `import { x } from '#libs/domain'\nimport './b.js'\nimport zod from 'zod'` }],
  [direction, { 'libs/proto/index.ts': `export * from './gen/x.js'` }],
  [
    direction,
    { 'services/worker/service.ts': `import '#libs/rpc'\nimport './loop.js'\nimport '#libs/telemetry/thread'` },
  ],
  [direction, { 'libs/rpc/a.test.ts': `import '../../test/harness/mesh.js'` }],
  [
    cycle,
    {
      'libs/a/one.ts': `import './two.js'\nimport './three.js'`,
      'libs/a/two.ts': `import './three.js'`,
      'libs/a/three.ts': `import type { One } from './one.js'`,
    },
  ],
  [
    packages,
    { 'package.json': manifest, 'libs/a/b.ts': `import 'zod/mini'\nimport 'node:fs'\nimport 'costate/package.json'` },
  ],
  [packages, { 'package.json': manifest, 'libs/a/b.test.ts': `import 'vitest'` }],
  [
    layers,
    { 'services/worker/rpc/a.ts': `import type { E } from '../core/event.js'\nimport { type L } from '../loop.js'` },
  ],
  [
    layers,
    { 'services/worker/loop.ts': `import { decide } from './core/decide.js'\nimport type { P } from './rpc/p.js'` },
  ],
  [layers, { 'services/worker/core/a.ts': `import { x } from '#libs/domain'\nimport './b.js'` }],
  [purity, { 'services/worker/core/a.ts': `const a = new Date(atMs); f({ process: 1 }).process; Math.max(1)` }],
  [purity, { 'services/worker/core/a.test.ts': `const now = Date.now()` }],
  [purity, { 'services/worker/loop.ts': `setTimeout(() => Date.now(), 1)` }],
  [noAny, { 'libs/a/b.ts': `// any: their type says so\nlet a: any\nlet b = 'any'` }],
  [defaults, { 'libs/a/b.ts': `switch (a) { default: f() }\nexport const b = 1` }],
  [asserting, { 'libs/a.test.ts': `function agree(a) { expect(a).toBe(1) }\ntest('a', () => agree(run()))` }],
  [
    asserting,
    { 'libs/a.test.ts': `test.skipIf(x).each([1])('a', async () => { await expect(run()).rejects.toThrow() })` },
  ],
  [
    asserting,
    { 'libs/a.test.ts': `const a = () => b()\nconst b = () => { a(); expect(run()).toBe(1) }\ntest('a', a)` },
  ],
  [length, { 'libs/a/b.ts': oddLines(400), 'libs/a/README.md': oddLines(500) }],
  [kebab, { 'libs/a-b/c-d.test.ts': '', 'libs/a/README.md': '', 'proto/costate/a/v1/a_service.proto': '' }],
  [vague, { 'libs/a/context-manager.ts': `class JobList {}`, 'proto/costate/types/v1/value.proto': '' }],
  [promise, { 'libs/a/b.ts': `const ${note.toLowerCase()} = 1` }],
  [machine, { 'libs/a/b.ts': `const dir = '/home/a'; const b = '../work/x'; const c = '\${dir}/work/xy'` }],
])('%s: what is allowed is let through (%#)', (rule, allowed) => {
  expect(check(rule, allowed)).toEqual([])
})

test('a service with all its files is let through', () => {
  const complaints = check(serviceFiles, Object.fromEntries(worker) as Project)
  expect(complaints.filter((text) => text.startsWith('services/worker:'))).toEqual([])
})

test('every rule has a violation above', () => {
  const named = [
    direction,
    cycle,
    packages,
    layers,
    purity,
    serviceFiles,
    noAny,
    defaults,
    asserting,
    waiting,
    length,
    kebab,
  ]
  expect(Object.keys(rules).sort()).toEqual([...named, vague, promise, machine].sort())
})
