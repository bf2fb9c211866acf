// A ref is a value that is still to come: passed to another task, it makes that task wait, and
// nobody else.
import * as ray from 'typeray'

const load = ray.remote((name: string) => name.split(''))
const upper = ray.remote((letters: string[]) => letters.map((letter) => letter.toUpperCase()))
const join = ray.remote((first: string[], second: string[]) => [...first, ' ', ...second].join(''))

const hello = upper.remote(load.remote('hello'))
const world = upper.remote(load.remote('world'))
console.log(await ray.get(join.remote(hello, world))) // HELLO WORLD
