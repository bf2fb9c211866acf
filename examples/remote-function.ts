// Functions as tasks: `remote` makes a function remote, calling it gives a ref at once, `get` waits
// for the value.
import * as ray from 'typeray'

const square = ray.remote((x: number) => x * x)

const refs = [1, 2, 3, 4].map((x) => square.remote(x))
console.log(await ray.get(refs)) // [ 1, 4, 9, 16 ]
