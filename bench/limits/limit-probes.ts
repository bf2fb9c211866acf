// What the machine allows: the yardsticks that rows are held against.
import type { ProbeTable } from '../probe.js'
import { echoProbes } from './echo.js'
import { memoryCopyProbes } from './memory-copy.js'
import { tcpCopyProbes } from './tcp-copy.js'
import { nodeStartProbes } from './node-starts.js'

export const limitProbes: ProbeTable = {
  ...echoProbes,
  ...memoryCopyProbes,
  ...nodeStartProbes,
  ...tcpCopyProbes,
}
