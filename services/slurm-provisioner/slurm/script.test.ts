import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { expect, test } from 'vitest'

import { parsePools, type PoolSpec } from './pools.js'
import { renderScript, type WorkerLaunch } from './script.js'

const launch: WorkerLaunch = {
  meshDir: '/scratch/mesh',
  logDir: '/scratch/mesh/slurm',
  mainFile: '/opt/costate/services/worker/main.cjs',
}

function pool(settings: Record<string, unknown>): PoolSpec {
  const [spec] = parsePools(
    JSON.stringify({ pools: [{ name: 'cpu', node: '/usr/bin/node', ...settings }] }),
    'pools.json',
  )
  if (spec === undefined) throw new Error('no pool was read')
  return spec
}

/** Runs the script as SLURM does, with a program in the place of Node that prints its arguments and environment. */
function run(script: string, program: string): { args: string[]; env: Map<string, string> } {
  const print = String.raw`printf "%s\0" "$@"; printf "\0"; env -0`
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'costate-script-')), 'job.sh')
  writeFileSync(
    file,
    script.replace(`exec ${program}`, () => `exec sh -c '${print}' node`),
  )
  const env = { PATH: process.env['PATH'] }
  const output = execFileSync('bash', [file], { env, stdio: ['ignore', 'pipe', 'pipe'] }).toString()
  const [args = '', variables = ''] = output.split('\0\0')
  const pairs = variables.split('\0').flatMap((entry) => {
    const at = entry.indexOf('=')
    return at > 0 ? [[entry.slice(0, at), entry.slice(at + 1)] as const] : []
  })
  return { args: args.split('\0'), env: new Map(pairs) }
}

test('the script of a pool with defaults', () => {
  expect(renderScript(pool({}), 1, launch, {})).toBe(`#!/bin/bash
#SBATCH --job-name=costate-cpu
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --time=01:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --export=NONE
#SBATCH --output=/scratch/mesh/slurm/costate-cpu-%j.out
#SBATCH --open-mode=append

# A line of the prologue that fails ends the job: no worker starts in half an environment.
set -e
# Parallel is what the slots are: numeric libraries in them get one thread each.
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# Large buffers on huge pages: fresh memory is several times faster.
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1
# By exec, so that signals to the batch script reach the worker itself.
exec /usr/bin/node /opt/costate/services/worker/main.cjs --mesh-dir /scratch/mesh --listen-address 0.0.0.0:0 --slots 1
`)
})

test('the script of a pool with everything', () => {
  const everything = pool({
    slots: 8,
    cpusPerTask: 16,
    partition: 'gpu',
    account: 'proj 7',
    qos: 'long',
    constraint: '[rack1|rack2]',
    gres: 'gpu:a100:2',
    memory: '64G',
    time: '1-12:30:00',
    signalLead: '5min',
    exclusive: true,
    directives: ['--nodelist=node[1-4]', '-C fast'],
    prologue: ['module load nodejs/20', 'export OMP_NUM_THREADS=2'],
  })
  const carrier = { TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
  const script = renderScript(
    everything,
    3,
    {
      ...launch,
      meshDir: "/data/o'neil/mesh 100%",
      logDir: "/data/o'neil/mesh 100%/slurm",
      runDir: '/scratch/run',
      schedulerAddress: ['login1:7411', '10.0.0.7:7411'],
      checkpointStoreAddress: ['login1:7412'],
    },
    carrier,
  )
  expect(script).toBe(`#!/bin/bash
#SBATCH --job-name=costate-cpu
#SBATCH --partition=gpu
#SBATCH --account="proj 7"
#SBATCH --qos=long
#SBATCH --constraint="[rack1|rack2]"
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=16
#SBATCH --mem=65536M
#SBATCH --gres=gpu:a100:2
#SBATCH --time=1-12:30:00
#SBATCH --signal=B:USR1@300
#SBATCH --export=NONE
#SBATCH --output="/data/o'neil/mesh 100%%/slurm/costate-cpu-%j.out"
#SBATCH --open-mode=append
#SBATCH --array=0-2
#SBATCH --exclusive
#SBATCH --nodelist=node[1-4]
#SBATCH -C fast

# A line of the prologue that fails ends the job: no worker starts in half an environment.
set -e
# Parallel is what the slots are: numeric libraries in them get one thread each.
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# Large buffers on huge pages: fresh memory is several times faster.
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1
module load nodejs/20
export OMP_NUM_THREADS=2
export COSTATE_RUN_DIR=/scratch/run
export TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
# By exec, so that signals to the batch script reach the worker itself.
exec /usr/bin/node /opt/costate/services/worker/main.cjs --mesh-dir '/data/o'\\''neil/mesh 100%' --listen-address 0.0.0.0:0 --slots 8 --memory-limit 65283502899 --scheduler-address login1:7411,10.0.0.7:7411 --checkpoint-store-address login1:7412
`)
})

test.each([
  ['90min', '01:30:00'],
  ['23:59:59', '23:59:59'],
  ['24h', '1-00:00:00'],
  ['10d', '10-00:00:00'],
])('a time limit of %s is %s for sbatch', (time, clock) => {
  expect(renderScript(pool({ time, signalLead: '10s' }), 1, launch, {})).toContain(`#SBATCH --time=${clock}\n`)
})

test('bash gives the worker exactly what was meant, whatever the paths hold', () => {
  const odd = String.raw`/data/it's $HOME/"x" ; rm -rf *` + '/`id`'
  const script = renderScript(
    pool({ node: '/opt/my node/bin/node', slots: 2 }),
    1,
    { ...launch, meshDir: odd, runDir: `${odd}/run`, mainFile: `${odd}/main.cjs` },
    { TRACEPARENT: '00-a-b-01', BAGGAGE: "tenant=it's $HOME" },
  )
  const { args, env } = run(script, "'/opt/my node/bin/node'")
  expect(args).toEqual([`${odd}/main.cjs`, '--mesh-dir', odd].concat(['--listen-address', '0.0.0.0:0', '--slots', '2']))
  expect(env.get('COSTATE_RUN_DIR')).toBe(`${odd}/run`)
  expect(env.get('BAGGAGE')).toBe("tenant=it's $HOME")
  expect(env.get('TRACEPARENT')).toBe('00-a-b-01')
  expect(env.get('OPENBLAS_NUM_THREADS')).toBe('1')
})

test('a prologue that fails ends the job before a worker starts', () => {
  const script = renderScript(pool({ prologue: ['false'] }), 1, launch, {})
  expect(() => run(script, '/usr/bin/node')).toThrow(/Command failed/)
})

test('bash finds nothing wrong with a script', () => {
  const script = renderScript(pool({ prologue: ['module load x', 'if true; then export A=1; fi'] }), 5, launch, {})
  execFileSync('bash', ['-n'], { input: script, stdio: 'pipe' })
  // The check itself must be able to fail.
  const broken = renderScript(pool({ prologue: ['if true; then'] }), 5, launch, {})
  expect(() => execFileSync('bash', ['-n'], { input: broken, stdio: 'pipe' })).toThrow(/syntax error/)
})

test('no variable but the named ones is set for the worker', () => {
  const { env } = run(renderScript(pool({}), 1, launch, {}), '/usr/bin/node')
  const ours = [...env.keys()].filter((name) => !['PATH', 'PWD', 'SHLVL', '_'].includes(name)).sort()
  expect(ours).toEqual(['GLIBC_TUNABLES', 'MKL_NUM_THREADS', 'OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS'].sort())
})
