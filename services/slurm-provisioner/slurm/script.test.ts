import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { expect, test } from 'vitest'

import { parsePools, type PoolSpec } from './pools.js'
import { renderScript, type SubmitOrder, type WorkerLaunch } from './script.js'

const launch: WorkerLaunch = {
  meshDir: '/scratch/mesh',
  logDir: '/scratch/mesh/slurm/logs',
  mainFile: '/opt/costate/services/worker/main.cjs',
}
const tag = { mesh: '0123456789', pool: 'cpu', key: 'k1' }
const one: SubmitOrder = { tag, count: 1, excludedNodes: [], carrier: {} }

async function pool(settings: Record<string, unknown>): Promise<PoolSpec> {
  const content = JSON.stringify({ pools: [{ name: 'cpu', node: '/usr/bin/node', ...settings }] })
  const [spec] = await parsePools(content, 'pools.json')
  if (spec === undefined) throw new Error('no pool was read')
  return spec
}

/** A program that prints its arguments and environment, in the place of Node. */
function writeProgram(text = String.raw`printf '%s\0' "$@"; printf '\0'; env -0`): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), "costate node's ")), 'node')
  writeFileSync(file, `#!/bin/bash\n${text}\n`, { mode: 0o755 })
  return file
}

/** Runs the script as SLURM does. */
function run(script: string, env: Record<string, string> = {}): { args: string[]; env: Map<string, string> } {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'costate-script-')), 'job.sh')
  writeFileSync(file, script)
  const output = execFileSync('bash', [file], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  }).toString()
  const [args = '', variables = ''] = output.split('\0\0')
  const pairs = variables.split('\0').flatMap((entry) => {
    const at = entry.indexOf('=')
    return at > 0 ? [[entry.slice(0, at), entry.slice(at + 1)] as const] : []
  })
  return { args: args.split('\0'), env: new Map(pairs) }
}

function directives(script: string): string[] {
  return script
    .split('\n')
    .filter((line) => line.startsWith('#SBATCH '))
    .map((line) => line.slice('#SBATCH '.length))
}

test('what SLURM is asked for by a pool with defaults', async () => {
  expect(directives(renderScript(await pool({}), one, launch))).toEqual([
    '--job-name=costate-0123456789-cpu-k1',
    '--comment=costate/1/0123456789/cpu/k1',
    '--nodes=1',
    '--ntasks-per-node=1',
    '--cpus-per-task=1',
    '--time=01:00:00',
    '--signal=B:USR1@120',
    '--export=NONE',
    '--output=/scratch/mesh/slurm/logs/costate-cpu-%j.out',
    '--open-mode=append',
  ])
})

test('what SLURM is asked for by a pool with everything', async () => {
  const everything = await pool({
    ...{ slots: 8, cpus: 16, partition: 'gpu', account: 'proj 7', qos: 'long', constraint: '[rack1|rack2]' },
    ...{ gres: 'gpu:a100:2', memory: '64G', walltime: '1-12:30:00', signalLead: '5min', exclusive: true },
    directives: ['--nodelist=node[1-4]', '-d singleton'],
  })
  const odd = { ...launch, logDir: "/data/o'neil/mesh 100%/logs" }
  expect(directives(renderScript(everything, { ...one, count: 3, excludedNodes: ['n1', 'n7'] }, odd))).toEqual([
    '--job-name=costate-0123456789-cpu-k1',
    '--comment=costate/1/0123456789/cpu/k1',
    '--partition=gpu',
    '--account="proj 7"',
    '--qos=long',
    '--constraint="[rack1|rack2]"',
    '--nodes=1',
    '--ntasks-per-node=1',
    '--cpus-per-task=16',
    '--mem=65536M',
    '--gres=gpu:a100:2',
    '--time=1-12:30:00',
    '--signal=B:USR1@300',
    '--export=NONE',
    '--output="/data/o\'neil/mesh 100%%/logs/costate-cpu"-%A_%a.out'.replace('cpu"-%A_%a.out', 'cpu-%A_%a.out"'),
    '--open-mode=append',
    '--array=0-2',
    '--exclude=n1,n7',
    '--exclusive',
    '--nodelist=node[1-4]',
    '-d singleton',
  ])
})

test.each([
  ['90min', '01:30:00'],
  ['23:59:59', '23:59:59'],
  ['24h', '1-00:00:00'],
  ['10d', '10-00:00:00'],
])('a walltime of %s is %s for sbatch', async (walltime, clock) => {
  const script = renderScript(await pool({ walltime, signalLead: '10s' }), one, launch)
  expect(directives(script)).toContain(`--time=${clock}`)
})

test('bash gives the worker exactly what was meant, whatever the paths hold', async () => {
  const odd = String.raw`/data/it's $HOME/"x" ; rm -rf *` + '/`id`'
  const node = writeProgram()
  const script = renderScript(
    await pool({ node, slots: 2, memory: '1000MB', resources: { gpu: 2 } }),
    { ...one, carrier: { TRACEPARENT: '00-a-b-01', BAGGAGE: "tenant=it's $HOME" } },
    { ...launch, meshDir: odd, runDir: `${odd}/run`, mainFile: `${odd}/main.cjs`, schedulerAddress: ['a:1', 'b:2'] },
  )
  const { args, env } = run(script, { SLURM_JOB_ID: '17', SLURM_ARRAY_TASK_ID: '3', SLURM_RESTART_COUNT: '1' })
  expect(args).toEqual([
    ...[`${odd}/main.cjs`, '--mesh-dir', odd, '--listen-address', '0.0.0.0:0', '--slots', '2'],
    ...['--memory-limit', '950000000', '--resources', 'gpu=2', '--scheduler-address', 'a:1,b:2'],
  ])
  expect(env.get('COSTATE_RUN_DIR')).toBe(`${odd}/run`)
  expect(env.get('BAGGAGE')).toBe("tenant=it's $HOME")
  expect(env.get('TRACEPARENT')).toBe('00-a-b-01')
  expect(env.get('OPENBLAS_NUM_THREADS')).toBe('1')
  expect(env.get('COSTATE_ALLOCATION')).toBe('cpu/k1.3')
  expect(env.get('COSTATE_SLURM_JOB_ID')).toBe('17')
  expect(env.get('COSTATE_RESTART_COUNT')).toBe('1')
  expect(env.get('COSTATE_NOTICE_MS')).toBe('110000')
})

test('the end is what SLURM says, else the walltime from now', async () => {
  const script = renderScript(await pool({ node: writeProgram(), walltime: '1h' }), one, launch)
  expect(run(script, { SLURM_JOB_END_TIME: '1900000000' }).env.get('COSTATE_ENDS_AT')).toBe('1900000000')
  const beforeS = Math.floor(Date.now() / 1000)
  const endsAt = Number(run(script).env.get('COSTATE_ENDS_AT'))
  expect(endsAt).toBeGreaterThanOrEqual(beforeS + 3_600)
  expect(endsAt).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000) + 3_600)
})

test('no variable but the named ones is set for the worker', async () => {
  const { env } = run(renderScript(await pool({ node: writeProgram() }), one, launch))
  const ours = [...env.keys()].filter((name) => !['PATH', 'PWD', 'SHLVL', '_'].includes(name)).sort()
  const threads = ['BLIS', 'MKL', 'NUMEXPR', 'OMP', 'OPENBLAS'].map((name) => `${name}_NUM_THREADS`)
  const told = ['ALLOCATION', 'ENDS_AT', 'NOTICE_MS', 'RESTART_COUNT', 'SLURM_JOB_ID'].map((name) => `COSTATE_${name}`)
  expect(ours).toEqual([...told, 'GLIBC_TUNABLES', ...threads].sort())
})

test('prologue and epilogue run around the worker, whose exit code is that of the job', async () => {
  const node = writeProgram('echo "worker $GREETING"; exit 7')
  const spec = await pool({ node, prologue: ['export GREETING=hello'], epilogue: ['echo "after $costate_status"'] })
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'costate-script-')), 'job.sh')
  writeFileSync(file, renderScript(spec, one, launch))
  const job = spawn('bash', [file], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  job.stdout.on('data', (data: Buffer) => (output += data.toString()))
  const [code] = (await once(job, 'close')) as [number]
  expect(output).toBe('worker hello\nafter 7\n')
  expect(code).toBe(7)
})

test('a prologue that fails ends the job before a worker starts', async () => {
  const script = renderScript(await pool({ node: writeProgram(), prologue: ['false'] }), one, launch)
  expect(() => run(script)).toThrow(/Command failed/)
})

test.each(['USR1', 'TERM'] as const)(
  '%s of SLURM reaches the worker, and the job waits for its end',
  async (signal) => {
    const node = writeProgram(
      `trap 'told=${signal}' ${signal}; echo ready; until [ -n "$told" ]; do sleep 0.05; done; echo "told $told"; exit 5`,
    )
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'costate-script-')), 'job.sh')
    writeFileSync(file, renderScript(await pool({ node, epilogue: ['echo over'] }), one, launch))
    const job = spawn('bash', [file], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    job.stdout.on('data', (data: Buffer) => {
      output += data.toString()
      if (output === 'ready\n') job.kill(`SIG${signal}`)
    })
    const [code] = (await once(job, 'close')) as [number]
    expect(output).toBe(`ready\ntold ${signal}\nover\n`)
    expect(code).toBe(5)
  },
)

test('a job that is told to go before its worker is there starts none', async () => {
  const script = renderScript(await pool({ node: '/bin/false', prologue: ['kill -USR1 $$'] }), one, launch)
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'costate-script-')), 'job.sh')
  writeFileSync(file, script)
  expect(execFileSync('bash', [file]).toString()).toBe('')
})

test('a job on several nodes starts one supervisor on each, by srun, with the environment of the job', async () => {
  const script = renderScript(await pool({ nodes: 3, workersPerNode: 2, cpus: 4, walltime: '2h' }), one, launch)
  expect(directives(script)).toEqual(expect.arrayContaining(['--nodes=3', '--ntasks-per-node=1', '--cpus-per-task=4']))
  const command = script.split('\n').find((line) => line.endsWith(' &'))
  expect(command).toBe(
    'srun --ntasks-per-node=1 --cpus-per-task=4 --export=ALL --kill-on-bad-exit=0 --wait=0 /usr/bin/node ' +
      '/opt/costate/services/worker/main.cjs --mesh-dir /scratch/mesh --listen-address 0.0.0.0:0 --slots 2 --count 2 &',
  )
})

test('bash finds nothing wrong with a script', async () => {
  const check = (script: string) => execFileSync('bash', ['-n'], { input: script, stdio: 'pipe' })
  const good = await pool({ modules: ['x/1'], prologue: ['if true; then export A=1; fi'], epilogue: ['echo'] })
  expect(check(renderScript(good, { ...one, count: 5 }, launch)).toString()).toBe('')
  // The check itself must be able to fail.
  const broken = renderScript(await pool({ prologue: ['if true; then'] }), one, launch)
  expect(() => check(broken)).toThrow(/syntax error/)
})
