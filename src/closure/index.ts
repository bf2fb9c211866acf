// Functions and classes by value: everything the layers above use.

export { serializeClosure, type SerializedClosure } from './serialize.js'
export type { ClosureHooks } from './graph.js'
export { rebuildClosure } from './rebuild.js'
export { instanceProblem } from './instance.js'
export { assignDefinitionId, definitionById, definitionIdOf } from './identity.js'
export { declaredName } from './declared-name.js'
export { rememberDoor, rememberModules } from './door.js'
export { importFrom, importReference, importingModule, type ImportReference } from './references.js'
export { importReferenceOf } from './import-reference.js'
export { moveFiles } from './moved-files.js'
