import { Packr } from 'msgpackr'

const packr = new Packr({ useRecords: false, moreTypes: true, copyBuffers: true })

export const packMessage = (message: unknown): Uint8Array => packr.pack(message)
export const unpackMessage = (bytes: Uint8Array): unknown => packr.unpack(bytes)
