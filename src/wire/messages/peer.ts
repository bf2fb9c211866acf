// Messages between raylets, over their link: ordered, and none is lost while both nodes live.

import type { ProcessId } from '../../base/ids.js'
import type { FromRaylet } from './raylet.js'

export type PeerMessage =
  /** For a process of the receiver's node. */
  | { readonly kind: 'deliver'; readonly to: ProcessId; readonly message: FromRaylet }
  /** A process of the sender's node is gone, after everything that it had said. */
  | { readonly kind: 'processGone'; readonly process: ProcessId }
