// Options of Ray Data that mean nothing here, or are not built, with what to do instead. Who passes
// one is told, rather than that it is ignored.

/** Wherever they are given. */
const anywhere: ReadonlyMap<string, string> = new Map(
  Object.entries({
    aggregatorRayRemoteArgs: 'a join has no actors of its own',
    aliasName: 'give alias',
    boundaries: 'ranges are found by looking at some of the keys',
    catalog: 'there is no catalog of tables; give the paths of their files',
    collateFn: 'put what it does into the loop over the batches',
    compute: 'a class runs in a pool of actors, whose size is the option concurrency',
    encodeLists: 'lists are values',
    fnConstructorKwargs:
      'JavaScript has no keyword arguments; put an object into fnConstructorArgs',
    fnKwargs: 'JavaScript has no keyword arguments; put an object into fnArgs',
    joinType: 'give how',
    localityHints: 'blocks go to the reader that asks first, wherever it is',
    overrideDtypeAggMapping: 'aggregate() computes what you name',
    parallelism: 'give overrideNumBlocks',
    partitionSizeHint: 'sizes are measured before sides are cut; numPartitions says how many parts',
    rayRemoteArgs: 'give numCpus, numGpus, memory and resources themselves, where tasks have any',
    rayRemoteArgsFn: 'all tasks of a step need the same',
    rayRemoteKwargs: 'give numCpus, numGpus, memory and resources to the step behind',
    reseedAfterExecution: 'without a seed each execution draws anew',
    stratify: 'split each group with mapGroups, or see streamingTrainTestSplit',
    sort: 'sort the dataset first; rows with equal keys are in one block',
    strict: 'blocks always have exactly so many rows, but for the last',
    udfModifyingRowCount: 'a limit never moves before a function of batches',
    validateSchemas: 'what cannot be compared is always an error',
    zeroCopyBatch: "batches are never copied, and writing to one changes nobody else's",
    zeroFactory: 'aggregates begin with nothing by themselves; see AggregateFn',
  }),
)

/** Of functions that read. */
const ofReads: ReadonlyMap<string, string> = new Map(
  Object.entries({
    arrowCsvArgs: 'DuckDB reads the files; give delimiter, columnTypes, nullValues and their like',
    arrowJsonArgs: 'DuckDB reads the files; give lines and columnTypes',
    arrowOpenFileArgs: 'give filesystem',
    arrowOpenStreamArgs: 'give compression and filesystem',
    arrowParquetArgs: 'DuckDB reads the files; give columns, and filter what was read',
    concurrency: 'give it to the step behind, whose tasks read',
    filter: 'call filter, which moves into the reader',
    includeRowHash: 'includePaths says where a row is from, and withColumn computes with columns',
    memory: 'give it to the step behind, whose tasks read',
    numCpus: 'give it to the step behind, whose tasks read',
    numGpus: 'give it to the step behind, whose tasks read',
    resources: 'give it to the step behind, whose tasks read',
    schema: 'types are found in the files; CSV and JSON take columnTypes',
    skipPaths: 'give a list of paths without them, or a partitionFilter',
    tensorColumnSchema: 'a function of rows makes tensors of bytes: new Tensor(data, shape)',
  }),
)

/** Of methods that write. */
const ofWrites: ReadonlyMap<string, string> = new Map(
  Object.entries({
    arrowCsvArgs: 'files are written by DuckDB; give delimiter, header and compression',
    arrowCsvArgsFn: 'files are written by DuckDB; give delimiter, header and compression',
    arrowOpenStreamArgs: 'files are written by DuckDB, and S3 is reached as filesystem says',
    arrowParquetArgs: 'files are written by DuckDB; give compression',
    arrowParquetArgsFn: 'files are written by DuckDB; give compression',
    numRowsPerFile: 'give minRowsPerFile or maxRowsPerFile',
    pandasJsonArgs: 'files are written by DuckDB, an object per line; give compression',
    pandasJsonArgsFn: 'files are written by DuckDB, an object per line; give compression',
    tryCreateDir: 'folders are made where they are not there',
  }),
)

/** Of steps that only rearrange columns, which the tasks of other steps do on the side. */
const ofColumns: ReadonlyMap<string, string> = new Map(
  Object.entries({
    concurrency: 'it costs no tasks of its own',
  }),
)

const columnSteps = ['dropColumns', 'renameColumns', 'select', 'selectColumns']

/** Why an operator does not take an option of Ray; undefined if Ray has none of the name. */
export function reasonNotTaken(operator: string, option: string): string | undefined {
  return own(operator).get(option) ?? anywhere.get(option)
}

function own(operator: string): ReadonlyMap<string, string> {
  if (/^(?:read|from|range)/.test(operator)) return ofReads
  if (operator.startsWith('write')) return ofWrites
  return columnSteps.includes(operator) ? ofColumns : new Map()
}
