import path from 'node:path'

import { type Journal, openLevelJournal } from '#libs/journal'

import type { Fact } from '../core/fact.js'
import { factCodec } from './fact-codec.js'

/** Where the catalogue is kept: every fact about checkpoints and blobs that still matters. */
export type Catalogue = Journal<Fact>

/** The catalogue as an embedded store `<dataDir>/catalogue`; one process at a time may have it open. */
export function openLevelCatalogue(dataDir: string, onWarning: (message: string) => void): Promise<Catalogue> {
  return openLevelJournal({ folder: path.join(dataDir, 'catalogue'), codec: factCodec, onWarning })
}
