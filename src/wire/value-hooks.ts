// What the codec leaves to the layer above it: refs, handles and other things with a life of their
// own, and the code of functions and classes.

/**
 * Objects and functions with this property, own or inherited, are attachments: `ObjectRef`,
 * `ActorHandle`, remote functions. The codec writes a number in their place and hands them to its
 * caller.
 */
export const attachmentBrand = Symbol.for('typeray.attachment')

export interface ValueHooks {
  /**
   * Says why an instance of a user's class cannot travel, or undefined if it can. Called once per
   * instance.
   */
  instanceProblem(value: object): string | undefined
}
