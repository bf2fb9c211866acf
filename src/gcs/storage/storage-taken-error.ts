import { SessionError } from '../../base/errors.js'

/** Another GCS has the tables: this one must not serve any more. */
export class StorageTakenError extends SessionError {
  constructor(place: string) {
    super(
      `Another head has taken over the tables of the cluster at ${place}, so this one ends. ` +
        `Two heads cannot share tables: give each a namespace of its own.`,
    )
  }
}
