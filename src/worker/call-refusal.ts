// What a remote function, class or method says to whoever calls it as the thing that it was made
// of.
//
// JavaScript's own answer would be "f is not a function", of something that its author wrote as
// one. So these objects are functions that throw, with the prototype of their class: a Proxy would
// cost something at each `.remote()`, and this costs nothing.

/** Extend it, and give it the function that throws. */
export class CallRefusal {
  constructor(refuse: () => never) {
    return Object.setPrototypeOf(refuse, new.target.prototype as object) as CallRefusal
  }
}
