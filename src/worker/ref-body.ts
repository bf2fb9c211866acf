import { SerializationError } from '../base/errors.js'
import { bodyTag } from '../wire/frame.js'
import { refState, type ObjectRef } from './object-ref.js'
import { bodyFromLayout, type ValuePort } from './value-port.js'

const storedBody = Uint8Array.of(bodyTag.stored, 0, 0, 0, 0, 0, 0)

/**
 * The value of a settled ref as a result body: what others get when the ref has left its process.
 */
export function bodyOfRef(ref: ObjectRef, values: ValuePort): Uint8Array {
  switch (ref.state) {
    case refState.body:
    case refState.errorBody:
      return ref.value as Uint8Array
    case refState.stored:
      return storedBody
    case refState.primitive: {
      const made = values.bodyOf(ref.value, 'value')
      if ('body' in made) return made.body
      throw new SerializationError(`The value of ${ref.id} is too large to travel in a message.`)
    }
    case refState.error:
      return bodyFromLayout(bodyTag.error, values.encode(ref.value, 'error').layout)
    default:
      throw new SerializationError(`Object ${ref.id} has no value yet.`)
  }
}
