/**
 * Another GCS has the tables: this one must not serve any more. No user sees it, and it is not one
 * of the errors of Ray, whose classes are compared by their codes.
 */
export class StorageTakenError extends Error {
  override readonly name = 'StorageTakenError'

  constructor(place: string) {
    super(
      `Another head has taken over the tables of the cluster at ${place}, so this one ends. ` +
        `Two heads cannot share tables: give each a namespace of its own.`,
    )
  }
}
