import path from 'node:path'

import { type CompactingJournal, openFileJournal } from '#libs/journal'

import type { Fact } from '../core/fact.js'
import { factCodec } from './fact-codec.js'

/** Where the catalogue is kept: every fact about checkpoints and blobs. */
export type Catalogue = CompactingJournal<Fact>

/** The catalogue as one append-only file `<dataDir>/catalogue`. */
export function openFileCatalogue(dataDir: string, onWarning: (message: string) => void): Promise<Catalogue> {
  return openFileJournal({ file: path.join(dataDir, 'catalogue'), codec: factCodec, onWarning })
}
