import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import type { Deployment, StatefulSet } from 'kubernetes-types/apps/v1.js'
import type { PodSpec, Service } from 'kubernetes-types/core/v1.js'
import type { NetworkPolicy } from 'kubernetes-types/networking/v1.js'
import { expect, test } from 'vitest'

import { createMeshSecurity, isRole, loadSecurity } from '#libs/rpc'

import { checkManifests, type Manifest } from './manifest-check.js'
import { readResources, renderBase, renderWithKubectl } from './rendered-base.js'

const root = path.resolve(import.meta.dirname, '../..')
const manifests = renderBase()
const workloads = manifests.filter(
  ({ kind }) => kind === 'Deployment' || kind === 'StatefulSet',
) as unknown as readonly (Deployment | StatefulSet)[]

function nameOf({ kind, metadata }: Manifest | Deployment | StatefulSet): string {
  return `${kind ?? ''} ${(metadata as { name: string }).name}`
}

function podOf(workload: Deployment | StatefulSet): PodSpec {
  return workload.spec!.template.spec!
}

/** The manifests with one field set to something, by a path such as `spec.replicas`. */
function spoil(name: string, field: string, value: unknown): readonly Manifest[] {
  const copy = structuredClone(manifests)
  let place = copy.find((manifest) => nameOf(manifest) === name) as Record<string, unknown>
  const steps = field.split('.')
  for (const step of steps.slice(0, -1)) place = place[step] as Record<string, unknown>
  const last = steps.at(-1)!
  if (value === undefined) Reflect.deleteProperty(place, last)
  else place[last] = value
  return copy
}

test('the base holds what the mesh needs', () => {
  expect(manifests.map(nameOf).sort()).toEqual([
    'ConfigMap costate',
    'Deployment costate-scheduler',
    'Deployment costate-worker',
    'NetworkPolicy costate-checkpoint-store',
    'NetworkPolicy costate-deny',
    'NetworkPolicy costate-scheduler',
    'NetworkPolicy costate-worker',
    'PodDisruptionBudget costate-worker',
    'Service costate-checkpoint-store',
    'Service costate-scheduler',
    'StatefulSet costate-checkpoint-store',
  ])
})

test('kubectl renders what the files say', () => {
  const byName = (one: Manifest, other: Manifest): number => nameOf(one).localeCompare(nameOf(other))
  const rendered = renderWithKubectl() ?? readResources()
  expect([...rendered].sort(byName)).toEqual([...readResources()].sort(byName))
})

test('every manifest is what the Kubernetes API knows', () => {
  expect(checkManifests(manifests)).toEqual([])
})

test.each([
  ['an unknown field', 'Deployment costate-worker', 'spec.replica', 2, /spec\.replica: .*does not exist/],
  ['a field of the wrong type', 'Deployment costate-worker', 'spec.replicas', '2', /spec\.replicas: .*string.*number/],
  [
    'an unknown field deep inside',
    'Deployment costate-scheduler',
    'spec.template.spec.containers.0.livenessProbe.grpc.prot',
    1,
    /spec\.template\.spec\.containers\[0\]\.livenessProbe\.grpc.*prot/,
  ],
  ['a number for a text', 'ConfigMap costate', 'data.COSTATE_SLOTS', 2, /data\.COSTATE_SLOTS: .*number.*string/],
  ['a missing field', 'StatefulSet costate-checkpoint-store', 'spec.selector', undefined, /spec: .*selector.*missing/],
  ['an object for a list', 'NetworkPolicy costate-worker', 'spec.ingress', {}, /spec\.ingress: /],
  ['an unknown kind', 'Service costate-scheduler', 'kind', 'Servise', /no exported member named 'Servise'/],
  ['an unknown version', 'PodDisruptionBudget costate-worker', 'apiVersion', 'policy/v3', /Cannot find module/],
])('%s is found', (_what, name, field, value, complaint) => {
  const complaints = checkManifests(spoil(name, field, value))
  expect(complaints.join('\n')).toMatch(complaint)
  const [kind] = name.split(' ')
  expect(complaints[0]).toMatch(kind === 'Service' ? /^Servise costate-scheduler: / : new RegExp(`^${name}: `))
})

test.each(workloads.map((workload) => [nameOf(workload), workload] as const))(
  '%s holds together',
  (_name, workload) => {
    const { selector, template } = workload.spec!
    expect(template.metadata?.labels).toMatchObject(selector.matchLabels!)
    const pod = podOf(workload)
    const [container] = pod.containers
    const claimed = (workload as StatefulSet).spec!.volumeClaimTemplates?.map(({ metadata }) => metadata?.name) ?? []
    const volumes = [...(pod.volumes?.map(({ name }) => name) ?? []), ...claimed]
    const mounts = container!.volumeMounts?.map(({ name }) => name) ?? []
    expect(new Set(mounts)).toEqual(new Set(volumes))
    const ports = new Map(container!.ports?.map(({ name, containerPort }) => [name, containerPort]))
    expect(container!.readinessProbe?.grpc?.port).toBe(ports.get('health'))
    expect(container!.livenessProbe?.grpc?.port).toBe(ports.get('health'))
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(12)
  },
)

test.each(workloads.map((workload) => [nameOf(workload), podOf(workload)] as const))(
  '%s may do little',
  (_name, pod) => {
    expect(pod.automountServiceAccountToken).toBe(false)
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
    for (const { securityContext, resources } of pod.containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      expect(resources?.limits?.['memory']).toBeDefined()
    }
  },
)

test.each(workloads.map((workload) => [nameOf(workload), podOf(workload)] as const))(
  '%s finds in its secret what its role needs, and nothing of another role',
  async (_name, pod) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'costate-kubernetes-'))
    const [mesh, mounted] = [path.join(folder, 'mesh'), path.join(folder, 'mounted')]
    await createMeshSecurity(mesh, { tls: true })
    const role = pod.volumes!.find(({ name }) => name === 'tokens')!.secret!.items![0]!.path
    if (!isRole(role)) throw new Error(`${role} is no role`)
    // The keys that deploy/README.md puts into the secret of a role.
    const secret = new Map([
      ['token', `tokens/${role}`],
      ['verify-key', 'verify-key'],
      ['ca.pem', 'ca.pem'],
      ['cert.pem', `certs/${role}.pem`],
      ['key.pem', `certs/${role}-key.pem`],
    ])
    for (const { name, mountPath, subPath } of pod.containers[0]!.volumeMounts!) {
      for (const { key, path: file } of pod.volumes!.find((volume) => volume.name === name)?.secret?.items ?? []) {
        if (subPath !== undefined && subPath !== file) continue
        const target = path.join(
          mounted,
          path.relative('/run/costate/mesh', mountPath),
          subPath === undefined ? file : '',
        )
        mkdirSync(path.dirname(target), { recursive: true })
        copyFileSync(path.join(mesh, secret.get(key)!), target)
        await chmod(target, 0o400)
      }
    }
    const security = await loadSecurity(mounted, role)
    expect(security.tls).toBeDefined()
    expect(security.verifyToken(security.token)).toBe(role)
  },
)

test('services lead to pods, and policies let in just their ports', () => {
  const podLabels = workloads.map(({ spec }) => spec!.template.metadata!.labels!)
  const containerPorts = workloads.flatMap((workload) =>
    podOf(workload).containers[0]!.ports!.map(({ name, containerPort }) => `${name}:${containerPort}`),
  )
  const select = (labels: Readonly<Record<string, string>>): number =>
    podLabels.filter((own) => Object.entries(labels).every(([key, value]) => own[key] === value)).length
  for (const { spec } of manifests.filter(({ kind }) => kind === 'Service') as unknown as Service[]) {
    expect(spec?.clusterIP).toBe('None')
    expect(select(spec!.selector!)).toBe(1)
    for (const { port, targetPort } of spec!.ports!) expect(containerPorts).toContain(`${String(targetPort)}:${port}`)
  }
  const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy') as unknown as NetworkPolicy[]
  for (const { metadata, spec } of policies) {
    const isDeny = metadata?.name === 'costate-deny'
    expect(select(spec!.podSelector.matchLabels!)).toBe(isDeny ? workloads.length : 1)
    expect(spec?.ingress?.length ?? 0).toBe(isDeny ? 0 : 1)
    for (const { ports } of spec?.ingress ?? []) {
      expect(containerPorts.some((own) => own.endsWith(`:${String(ports?.[0]?.port)}`))).toBe(true)
    }
  }
})

test('the images are targets of the Dockerfile, in the version of this package', () => {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }
  const dockerfile = readFileSync(path.join(root, 'deploy/docker/Dockerfile'), 'utf8')
  const targets = [...dockerfile.matchAll(/^FROM service AS (\S+)$/gm)].map(([, target]) => target)
  expect(targets.sort()).toEqual(['checkpoint-store', 'scheduler', 'slurm-provisioner', 'worker'])
  for (const workload of workloads) {
    const [, target, tag] = /^costate\/([a-z-]+):(\S+)$/.exec(podOf(workload).containers[0]!.image ?? '') ?? []
    expect(targets).toContain(target)
    expect(tag).toBe(version)
  }
})
