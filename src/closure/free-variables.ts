// Which names a function takes from outside, and how it uses them.
//
// The answer decides what is captured, so it errs on one side only: a name that is bound inside is
// never reported, a name that may come from outside always is. Besides the names it reports what
// cannot be moved (lexical `this`, `eval`, ...), and where each free name is written, so that a
// shared variable can be turned into a cell without touching line numbers.

import {
  childrenOf,
  hasUseStrict,
  isClass,
  isFunction,
  namesOf,
  reserved,
  type AnyNode,
  type Class,
  type FunctionNode,
} from './syntax.js'

export interface Occurrence {
  readonly start: number
  readonly end: number
  readonly use: 'plain' | 'shorthand' | 'call'
}

export interface FreeName {
  readonly occurrences: Occurrence[]
  assigned: boolean
  /** Evaluated while the root class is being defined: its heritage and computed keys. */
  atDefinition: boolean
  /** Properties read from it, if that is all that is done with it. */
  members: Set<string> | undefined
}

export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

export interface Obstacles {
  this: boolean
  super: boolean
  eval: boolean
  arguments: boolean
  /** A private name of a class around the function. */
  private: string | undefined
}

export interface FreeVariables {
  readonly names: ReadonlyMap<string, FreeName>
  readonly obstacles: Readonly<Obstacles>
  /** `import.meta` becomes an ordinary captured name, of the same length so that columns stay. */
  readonly metaEdits: readonly Edit[]
  readonly strict: boolean
}

export const metaName = `${reserved}meta_`

type Scope = { readonly names: ReadonlySet<string>; readonly outer: Scope } | undefined

interface Context {
  /** Inside a function that has its own `this`. */
  readonly ownThis: boolean
  readonly inClass: boolean
  /** Inside a member of a class or object literal, where `super` has a home. */
  readonly home: boolean
  /** The function about to be walked is such a member. */
  readonly member: boolean
  readonly atDefinition: boolean
}

const memberContext = {
  ownThis: true,
  inClass: true,
  home: true,
  member: true,
  atDefinition: false,
}

type Root = FunctionNode | Class | Extract<AnyNode, { type: 'Program' }>

/**
 * For a whole program, the names at its top count as free: what is asked is whether they are
 * assigned.
 */
export function freeVariables(root: Root): FreeVariables {
  return new Walk(root).result()
}

class Walk {
  private readonly names = new Map<string, FreeName>()
  private readonly metaEdits: Edit[] = []
  private readonly shorthands = new Set<number>()
  private readonly calls = new Set<number>()
  private readonly root: AnyNode
  private readonly obstacles: Obstacles = {
    this: false,
    super: false,
    eval: false,
    arguments: false,
    private: undefined,
  }

  constructor(root: Root) {
    this.root = root
    const start = {
      ownThis: false,
      inClass: false,
      home: false,
      member: false,
      atDefinition: false,
    }
    this.visit(root, undefined, start)
  }

  result(): FreeVariables {
    const body =
      isFunction(this.root) && this.root.body.type === 'BlockStatement' ? this.root.body.body : []
    const strict = isClass(this.root) || hasUseStrict(body)
    return { names: this.names, obstacles: this.obstacles, metaEdits: this.metaEdits, strict }
  }

  private visit(node: AnyNode | null | undefined, scope: Scope, context: Context): void {
    if (node === null || node === undefined) return
    if (isFunction(node)) return this.visitFunction(node, scope, context)
    if (isClass(node)) return this.visitClass(node, scope, context)
    if (this.visitLeaf(node, scope, context)) return
    switch (node.type) {
      case 'LabeledStatement':
        return this.visit(node.body, scope, context)
      case 'MemberExpression':
        return this.visitMember(node, scope, context)
      case 'Property':
        return this.visitProperty(node, scope, context)
      case 'CallExpression':
        if (node.callee.type === 'Identifier') {
          if (node.callee.name === 'eval') this.obstacles.eval = true
          this.calls.add(node.callee.start)
        }
        return this.visitAll(childrenOf(node), scope, context)
      case 'TaggedTemplateExpression':
        if (node.tag.type === 'Identifier') this.calls.add(node.tag.start)
        return this.visitAll(childrenOf(node), scope, context)
      case 'AssignmentExpression':
        this.visitAll(childrenOf(node), scope, context)
        return this.assign(node.left, scope)
      case 'UpdateExpression':
        this.visit(node.argument, scope, context)
        return this.assign(node.argument, scope)
      default:
        return this.visitBlock(node, scope, context)
    }
  }

  /** Names, `this` and the like; true when the node is done with. */
  private visitLeaf(node: AnyNode, scope: Scope, context: Context): boolean {
    switch (node.type) {
      case 'Identifier':
        this.reference(node, scope, context, undefined)
        return true
      case 'ThisExpression':
        if (!context.ownThis) this.obstacles.this = true
        return true
      case 'Super':
        if (!context.home) this.obstacles.super = true
        return true
      case 'MetaProperty':
        // A `new.target` outside a function is refused by the parser.
        if (node.meta.name === 'import') {
          this.metaEdits.push({ start: node.start, end: node.end, text: metaName })
        }
        return true
      case 'PrivateIdentifier':
        if (!context.inClass) this.obstacles.private = node.name
        return true
      case 'BreakStatement':
      case 'ContinueStatement':
        return true
      default:
        return false
    }
  }

  private visitAll(nodes: readonly AnyNode[], scope: Scope, context: Context): void {
    for (const node of nodes) this.visit(node, scope, context)
  }

  private visitMember(
    node: Extract<AnyNode, { type: 'MemberExpression' }>,
    scope: Scope,
    context: Context,
  ): void {
    const named =
      !node.computed && node.property.type === 'Identifier' ? node.property.name : undefined
    if (node.object.type === 'Identifier') this.reference(node.object, scope, context, named)
    else this.visit(node.object, scope, context)
    if (named === undefined) this.visit(node.property, scope, context)
  }

  private visitProperty(
    node: Extract<AnyNode, { type: 'Property' }>,
    scope: Scope,
    context: Context,
  ): void {
    if (node.computed) this.visit(node.key, scope, context)
    if (node.shorthand) this.shorthands.add(node.key.start)
    const member = node.method || node.kind !== 'init'
    this.visit(node.value, scope, { ...context, member })
  }

  private visitFunction(node: FunctionNode, scope: Scope, context: Context): void {
    const own = new Set<string>()
    if (node.type === 'FunctionExpression' && node.id) own.add(node.id.name)
    for (const parameter of node.params) for (const name of namesOf(parameter)) own.add(name)
    if (node.body.type === 'BlockStatement') {
      for (const statement of node.body.body) collectVars(statement, own)
      collectLexical(node.body.body, own)
    }
    const arrow = node.type === 'ArrowFunctionExpression'
    const inner = arrow
      ? { ...context, atDefinition: false }
      : { ...memberContext, inClass: context.inClass, home: context.member, member: false }
    const inside: Scope = { names: own, outer: scope }
    this.visitAll(node.params, inside, inner)
    this.visit(node.body, inside, inner)
  }

  private visitClass(node: Class, scope: Scope, context: Context): void {
    const inside: Scope = { names: new Set(node.id ? [node.id.name] : []), outer: scope }
    const defining = { ...context, atDefinition: node === this.root || context.atDefinition }
    this.visit(node.superClass, inside, defining)
    for (const member of node.body.body) {
      if (member.type === 'StaticBlock') {
        const own = new Set<string>()
        for (const statement of member.body) collectVars(statement, own)
        collectLexical(member.body, own)
        this.visitAll(member.body, { names: own, outer: inside }, memberContext)
        continue
      }
      if (member.computed) this.visit(member.key, inside, defining)
      this.visit(member.value, inside, memberContext)
    }
  }

  /** Statements that open a scope, and everything that has no rule of its own. */
  private visitBlock(node: AnyNode, scope: Scope, context: Context): void {
    const own = new Set<string>()
    const inside: Scope = { names: own, outer: scope }
    switch (node.type) {
      case 'BlockStatement':
        collectLexical(node.body, own)
        break
      case 'SwitchStatement':
        this.visit(node.discriminant, scope, context)
        for (const branch of node.cases) collectLexical(branch.consequent, own)
        return this.visitAll(node.cases, inside, context)
      case 'ForStatement':
        if (node.init) collectLexical([node.init], own)
        break
      case 'ForInStatement':
      case 'ForOfStatement':
        collectLexical([node.left], own)
        if (node.left.type !== 'VariableDeclaration') this.assign(node.left, scope)
        break
      case 'CatchClause':
        for (const name of namesOf(node.param)) own.add(name)
        break
      default:
        break
    }
    this.visitAll(childrenOf(node), inside, context)
  }

  private assign(target: AnyNode, scope: Scope): void {
    for (const name of namesOf(target)) {
      if (isBound(name, scope)) continue
      const free = this.names.get(name) ?? this.add(name)
      free.assigned = true
      free.members = undefined
    }
  }

  private add(name: string): FreeName {
    const free = {
      occurrences: [],
      assigned: false,
      atDefinition: false,
      members: new Set<string>(),
    }
    this.names.set(name, free)
    return free
  }

  private reference(
    node: Extract<AnyNode, { type: 'Identifier' }>,
    scope: Scope,
    context: Context,
    member: string | undefined,
  ): void {
    const { name, start, end } = node
    if (name === 'undefined' || isBound(name, scope)) return
    if (name === 'arguments') {
      if (context.ownThis) return
      this.obstacles.arguments = true
    }
    const free: FreeName = this.names.get(name) ?? this.add(name)
    const use = this.shorthands.has(start) ? 'shorthand' : this.calls.has(start) ? 'call' : 'plain'
    free.occurrences.push({ start, end, use })
    if (context.atDefinition) free.atDefinition = true
    if (member === undefined) free.members = undefined
    else free.members?.add(member)
  }
}

function isBound(name: string, scope: Scope): boolean {
  for (let s = scope; s !== undefined; s = s.outer) if (s.names.has(name)) return true
  return false
}

/** `var`s belong to the function, however deep they are written. */
function collectVars(node: AnyNode, into: Set<string>): void {
  if (isFunction(node) || isClass(node)) return
  if (node.type === 'VariableDeclaration' && node.kind === 'var') {
    for (const declared of node.declarations)
      for (const name of namesOf(declared.id)) into.add(name)
  }
  for (const child of childrenOf(node)) collectVars(child, into)
}

/** What a block declares for itself: `let`, `const`, `using`, functions and classes. */
function collectLexical(body: readonly AnyNode[], into: Set<string>): void {
  for (const node of body) {
    if (node.type === 'VariableDeclaration' && node.kind !== 'var') {
      for (const declared of node.declarations)
        for (const name of namesOf(declared.id)) into.add(name)
    }
    if ((node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') && node.id) {
      into.add(node.id.name)
    }
  }
}
