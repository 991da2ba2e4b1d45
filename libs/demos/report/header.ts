import { formatGibibytes, formatPlural } from './format.js'
import type { Machine, Versions } from './machine.js'
import { markup, type Markup } from './markup.js'

/** A name and what stands behind it. */
export type Fact = readonly [name: string, value: Markup]

/** The heading of a report, and the facts of its run. */
export function renderHeader(heading: string, facts: readonly Fact[]): Markup {
  return markup`<header><p class="brand">Costate</p>
<h1>${heading}</h1>
<dl class="facts">${facts.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></header>
`
}

export function machineFacts(machine: Machine, versions: Versions): readonly Fact[] {
  const { cpuModel, cores, memoryBytes, os } = machine
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return [
    ['machine', markup`${cpuModel}, ${formatPlural(cores, 'core')}, ${formatGibibytes(memoryBytes)}, ${os}`],
    ['versions', markup`${named.join(' · ')}`],
  ]
}
