export { Arena, extentBytes, type ArenaStats, type Extent } from './arena.js'
export { libc } from './libc.js'
export type { Location } from './location.js'
export { SpillFiles, type SpillFilesOptions } from './object-files.js'
export { ObjectReader, type ReaderOptions, type ReadRange } from './object-reader.js'
export { ObjectWriter, type ObjectLayout, type WriterOptions } from './object-writer.js'
export { setParentDeathSignal } from './parent-death.js'
export {
  createMemory,
  type Mapping,
  mapRange,
  mapShared,
  type Memory,
  openMemory,
  type PrivateRange,
  SharedWindows,
  viewBytesMax,
} from './shared-memory.js'
export { StoreChannel } from './store-channel.js'
export {
  arenaFile,
  type ClientId,
  type CopyId,
  type FileFailure,
  type FileId,
  type ObjectKey,
  type Place,
  type SpillItem,
  type StoreEffect,
  type StoreEvent,
} from './store-events.js'
export { type StoreConfig, StoreState } from './store-state.js'
export type { StoreStats } from './store-stats.js'
export { connectUnix, pollReadable } from './unix-socket.js'
