import { checkCycles, checkDirections, checkPackages } from './import-rules.js'
import { checkFileNames, checkVagueNames } from './name-rules.js'
import { checkLayers, checkPurity, checkServiceFiles } from './service-rules.js'
import type { SourceFile } from './source-tree.js'
import { checkAny, checkDefaultExports, checkTests, checkWaiting } from './syntax-rules.js'
import { checkLengths, checkMachinePaths, checkPromises } from './text-rules.js'

/** A rule of the project's shape: what it says, and who breaks it. */
export type Check = (files: readonly SourceFile[]) => string[]

/** The rules, by the sentence that each of them enforces. */
export const rules: Readonly<Record<string, Check>> = {
  'imports go in one direction, and to a lib through its door': checkDirections,
  'nothing is imported in a circle': checkCycles,
  'what runs needs only what is installed with it': checkPackages,
  'in a service: main → service → loop → core → domain': checkLayers,
  'a core knows no clock, no dice, no process and no promise': checkPurity,
  'every service has the same files': checkServiceFiles,
  'no any, but on a few marked lines': checkAny,
  'no default exports': checkDefaultExports,
  'every test asserts something that can fail': checkTests,
  'no test waits for time': checkWaiting,
  'no file is too long to read': checkLengths,
  'names are in kebab-case': checkFileNames,
  'names say what a thing is': checkVagueNames,
  'what is not done is an issue, not a note': checkPromises,
  'nothing depends on one machine': checkMachinePaths,
}
