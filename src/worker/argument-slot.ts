// A top-level ref among arguments stands for its value. While arguments are encoded it is replaced
// by a slot with the number of the ref; the worker puts the value in its place.

import { attachmentBrand, registerAttachment } from './attachment.js'

export const slotKind = 'slot'

export class ArgumentSlot {
  readonly index: number

  constructor(index: number) {
    this.index = index
  }
}

Object.defineProperty(ArgumentSlot.prototype, attachmentBrand, { value: slotKind })

registerAttachment<ArgumentSlot>(slotKind, {
  encode: (slot) => slot.index,
  decode: () => {
    throw new Error('typeray: a slot outside arguments')
  },
})
