import { createRequire } from 'node:module'
import { hostname } from 'node:os'

import type { Attributes } from '@opentelemetry/api'
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources'

import { attribute, schemaUrl } from './attributes.js'

const slurmVariables = {
  [attribute.slurmJobId]: 'SLURM_JOB_ID',
  [attribute.slurmArrayTaskId]: 'SLURM_ARRAY_TASK_ID',
  [attribute.slurmPartition]: 'SLURM_JOB_PARTITION',
}

/**
 * Who makes the spans of this process: service, version, instance, host, process, and the SLURM job it runs in.
 * OTEL_RESOURCE_ATTRIBUTES adds to it (`k8s.*` from the downward API comes that way) but cannot rename the service.
 */
export function describeProcess(
  options: { service: string; instanceId: string },
  env: NodeJS.ProcessEnv = process.env,
): Resource {
  const attributes: Attributes = {
    [attribute.serviceName]: options.service,
    [attribute.serviceNamespace]: 'costate',
    [attribute.serviceVersion]: packageVersion(),
    [attribute.serviceInstanceId]: options.instanceId,
    [attribute.hostName]: hostname(),
    [attribute.processPid]: process.pid,
  }
  for (const [name, variable] of Object.entries(slurmVariables)) {
    const value = env[variable]
    if (value) attributes[name] = value
  }
  return defaultResource()
    .merge(detectResources({ detectors: [envDetector] }))
    .merge(resourceFromAttributes(attributes, { schemaUrl }))
}

function packageVersion(): string {
  const packageJson = createRequire(import.meta.url)('costate/package.json') as { version: string }
  return packageJson.version
}
