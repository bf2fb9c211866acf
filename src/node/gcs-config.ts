// What the process of the GCS is told, and how it says why it has ended.

import type { StoragePlace } from '../gcs/storage/open-storage.js'

export interface GcsConfig {
  /** Abstract, with an @ for the NUL that it begins with. */
  readonly address: string
  readonly token: string
  readonly sessionName: string
  readonly storage: StoragePlace
  readonly validate: boolean
}

/** Exit code of a GCS whose tables another has taken over. */
export const takenExitCode = 3
