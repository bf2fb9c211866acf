// What a raylet has to say again to a GCS that has started anew.
//
// The GCS says nothing before it is stored, but what it has heard may be lost with it. So a raylet
// keeps what it has sent: facts until the GCS says that they are handled, which means stored;
// questions until they are answered. Subscriptions are not stored at all, and are kept for as long
// as their subject lives. To a new GCS everything kept is said again in the old order, and then
// what the node holds, for the GCS to compare with its tables.
//
// The GCS may therefore hear a thing twice, and every message to it must be one that may be heard
// twice. What it answers twice is dropped here, so that processes hear everything once.
//
// Pure: the link is somebody else's.

import type { ProcessId } from '../base/ids.js'
import { gcsKeptMax } from '../base/limits.js'
import type { FromGcs, NodeHoldings, ToGcs } from '../wire/messages/gcs.js'
import type { ObjectKey } from '../wire/messages/terms.js'

type Registration = ToGcs & { readonly kind: 'registerNode' }

interface Kept {
  readonly message: ToGcs
  /** Of this link, the how-manieth message it is; it is handled when so many are. */
  position: number
  /** Names the answer that it waits for; undefined for a fact. */
  request: string | undefined
}

interface Subscription {
  readonly message: ToGcs
  /** The last state that was told; '' before the first. */
  told: string
  /** It was said again, and the answer has not come: it may be a state that is known. */
  isRepeated: boolean
}

export class GcsSession {
  #registration: Registration | undefined
  /** The GCS has answered it. */
  #isRegistered = false
  /** In the order in which they were sent. */
  readonly #kept = new Set<Kept>()
  readonly #requests = new Map<string, Kept>()
  readonly #subscriptions = new Map<string, Subscription>()
  /** Processes that are alive, as they were announced. */
  readonly #processes = new Map<ProcessId, ToGcs>()
  /** Messages that went over this link. */
  #sent = 0

  /** Too much is kept: the GCS has been away for too long. */
  get isOverfull(): boolean {
    return this.#kept.size > gcsKeptMax
  }

  /** Messages that were sent over this link. */
  get sent(): number {
    return this.#sent
  }

  /** The message is about to be sent. */
  sending(message: ToGcs): void {
    this.#sent++
    switch (message.kind) {
      case 'registerNode':
        this.#registration = message
        break
      case 'nodeReport':
      case 'nodeHolds':
      case 'taskEvents':
        // The next one says more, or nobody would miss it.
        break
      case 'subscribeActor':
        this.#subscribe(actorKey(message.from, message.actor), message)
        break
      case 'subscribePlacementGroup':
        this.#subscribe(groupKey(message.from, message.group), message)
        break
      case 'locateGroup':
        this.#subscribe(groupKey(0, message.group), message)
        break
      case 'createPlacementGroup': {
        const { nodeId, from, group } = message
        const subscription = { kind: 'subscribePlacementGroup', nodeId, from, group } as const
        this.#subscribe(groupKey(from, group), subscription)
        this.#keep(message)
        break
      }
      case 'createActor':
        this.#keep(message, creationKey(message.from, message.request))
        break
      case 'query':
        this.#keep(message, questionKey(message.from, message.request))
        break
      case 'fetchFunction':
        this.#keep(message, functionKey(message.hash))
        break
      case 'fetchPackage':
        this.#keep(message, packageKey(message.hash))
        break
      case 'processStarted':
        this.#processes.set(message.process, message)
        this.#keep(message)
        break
      case 'processDied':
        this.#forget(message.process)
        this.#keep(message)
        break
      default:
        this.#keep(message)
    }
  }

  /** Returns false when the message must not be passed on. */
  received(message: FromGcs): boolean {
    switch (message.kind) {
      case 'nodeRegistered':
        this.#isRegistered = true
        return true
      case 'functionFound':
        this.#answered(functionKey(message.hash))
        return true
      case 'functionsGone':
        for (const hash of message.hashes) this.#answered(functionKey(hash))
        return true
      case 'packageFound':
        if (message.index === message.count - 1) this.#answered(packageKey(message.hash))
        return true
      case 'gcsHandled':
        this.#handled(message.count)
        return false
      case 'answer':
        return this.#answered(questionKey(message.to, message.request))
      case 'actorRegistered':
        return this.#answered(creationKey(message.to, message.request))
      case 'actorChanged': {
        const { to, actor, state } = message
        const more = 'incarnation' in state ? state.incarnation : ''
        const key = actorKey(to, actor)
        return this.#told(key, `${state.state} ${more}`, state.state === 'dead')
      }
      case 'returnBundles':
        if (message.removed) this.#subscriptions.delete(groupKey(0, message.group))
        return true
      case 'placementGroupChanged': {
        const { to, group, state, message: text = '' } = message
        return this.#told(groupKey(to, group), `${state} ${text}`, state === 'removed')
      }
      default:
        return true
    }
  }

  /** The GCS knows nothing of this link: what it must hear, in this order. */
  repeat(holdings: NodeHoldings): ToGcs[] {
    const registration = this.#registration
    if (registration === undefined) return []
    const { nodeId } = registration
    const kept = new Set([...this.#kept].map(({ message }) => message))
    const news = [...this.#processes.values()].filter((message) => !kept.has(message))
    const subscriptions = [...this.#subscriptions.values()].map((subscription) => {
      subscription.isRepeated = true
      return subscription.message
    })
    // The answers to questions are better when the GCS knows what the node has.
    const isQuestion = ({ message }: Kept): boolean => message.kind === 'query'
    const facts = [...this.#kept].filter((each) => !isQuestion(each))
    const questions = [...this.#kept].filter(isQuestion)
    this.#sent = 0
    this.#kept.clear()
    const again = (each: Kept): ToGcs => {
      each.position = ++this.#sent
      this.#kept.add(each)
      return each.message
    }
    const others = (messages: readonly ToGcs[]): readonly ToGcs[] => {
      this.#sent += messages.length
      return messages
    }
    return [
      ...others([{ ...registration, isBack: this.#isRegistered }, ...news]),
      ...facts.map(again),
      ...others([...subscriptions, { kind: 'nodeHolds', nodeId, ...holdings }]),
      ...questions.map(again),
    ]
  }

  #keep(message: ToGcs, request?: string): void {
    const kept = { message, position: this.#sent, request }
    this.#kept.add(kept)
    if (request === undefined) return
    const same = this.#requests.get(request)
    if (same !== undefined) this.#kept.delete(same)
    this.#requests.set(request, kept)
  }

  #subscribe(key: string, message: ToGcs): void {
    if (this.#subscriptions.has(key)) return
    this.#subscriptions.set(key, { message, told: '', isRepeated: false })
  }

  #handled(count: number): void {
    for (const kept of this.#kept) {
      if (kept.position > count) return
      if (kept.request === undefined) this.#kept.delete(kept)
    }
  }

  #answered(request: string): boolean {
    const kept = this.#requests.get(request)
    if (kept === undefined) return false
    this.#requests.delete(request)
    this.#kept.delete(kept)
    return true
  }

  #told(key: string, state: string, isLast: boolean): boolean {
    const subscription = this.#subscriptions.get(key)
    if (subscription === undefined) return true
    const isNews = !subscription.isRepeated || subscription.told !== state
    subscription.isRepeated = false
    subscription.told = state
    if (isLast) this.#subscriptions.delete(key)
    return isNews
  }

  /** Nobody is there any more to hear of it. */
  #forget(process: ProcessId): void {
    this.#processes.delete(process)
    const own = `${process} `
    for (const key of this.#subscriptions.keys()) {
      if (key.startsWith(own)) this.#subscriptions.delete(key)
    }
    for (const [key, kept] of this.#requests) {
      if (!key.startsWith(own)) continue
      this.#requests.delete(key)
      // An actor is created all the same: that is a fact now.
      if (kept.message.kind === 'query') this.#kept.delete(kept)
      else kept.request = undefined
    }
  }
}

/** A process counts what it asks and the actors that it creates apart. */
const questionKey = (process: ProcessId, request: number): string => `${process} query ${request}`
const creationKey = (process: ProcessId, request: number): string => `${process} create ${request}`

/** The node itself asks for these, as process 0. */
const functionKey = (hash: string): string => `0 function ${hash}`
const packageKey = (hash: string): string => `0 package ${hash}`

const groupKey = (process: ProcessId, group: string): string => `${process} group ${group}`

const actorKey = (process: ProcessId, [owner, sequence]: ObjectKey): string =>
  `${process} actor ${owner}/${sequence}`
