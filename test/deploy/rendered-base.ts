import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'

import { parse, parseAllDocuments } from 'yaml'

import type { Manifest } from './manifest-check.js'

/** The folder of the kustomize base. */
export const baseDir = path.resolve(import.meta.dirname, '../../deploy/kubernetes/base')

/**
 * The manifests of the base: rendered by `kubectl kustomize` where there is a kubectl, else its resources in their order,
 * which is the same because the base uses no other feature of kustomize.
 */
export function renderBase(): readonly Manifest[] {
  return renderWithKubectl() ?? readResources()
}

/** The base as kubectl renders it, or nothing on a machine without kubectl. */
export function renderWithKubectl(): readonly Manifest[] | undefined {
  try {
    return parseManifests(
      execFileSync('kubectl', ['kustomize', baseDir], { stdio: ['ignore', 'pipe', 'pipe'] }).toString(),
    )
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The base as its files say. */
export function readResources(): readonly Manifest[] {
  const { resources, ...rest } = parse(readFileSync(path.join(baseDir, 'kustomization.yaml'), 'utf8')) as {
    readonly resources: readonly string[]
    readonly [feature: string]: unknown
  }
  const features = Object.keys(rest).filter((feature) => feature !== 'apiVersion' && feature !== 'kind')
  if (features.length > 0) throw new Error(`kustomize would do more than join the files: ${features.join(', ')}`)
  return resources.flatMap((file) => parseManifests(readFileSync(path.join(baseDir, file), 'utf8')))
}

function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0]!
    return document.toJS() as Manifest
  })
}
