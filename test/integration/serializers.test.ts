import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import { inCluster } from './in-cluster.js'

/** Cannot travel by itself: it has a private field. */
class Secret {
  readonly #word: string
  readonly made: string
  constructor(word: string, made = 'here') {
    this.#word = word
    this.made = made
  }

  get word() {
    return this.#word
  }
}

const how: ray.Serializer<Secret, { word: string }> = {
  serialize: (secret) => ({ word: secret.word }),
  deserialize: ({ word }) => new Secret(word, 'deserialize'),
}

inCluster(
  'Serializers of classes',
  { numCpus: 2 },
  {
    async 'an instance that cannot travel does so once its class has a serializer'() {
      assert.throws(() => ray.put(new Secret('x')), ray.SerializationError)
      ray.registerSerializer(Secret, how)
      const [back, list] = await ray.get([
        ray.put(new Secret('x')),
        ray.put([new Secret('a'), { deep: new Secret('b') }]),
      ])
      assert.ok(back instanceof Secret)
      assert.equal(back.word, 'x')
      assert.equal(back.made, 'deserialize')
      const [first, second] = list as [Secret, { deep: Secret }]
      assert.deepEqual([first.word, second.deep.word], ['a', 'b'])
    },

    async 'tasks and actors take it and give it back, and need to register nothing'() {
      const swap = ray.remote((secret: Secret) => ({ word: secret.word, secret }))
      const { word, secret } = await ray.get(swap.remote(new Secret('y')))
      assert.equal(word, 'y')
      assert.ok(secret instanceof Secret)
      assert.equal(secret.word, 'y')
      const Keeper = ray.remote(
        class Keeper {
          kept: Secret
          constructor(kept: Secret) {
            this.kept = kept
          }
          get() {
            return this.kept
          }
        },
      )
      const kept = await ray.get(Keeper.remote(new Secret('z')).get.remote())
      assert.equal(kept.word, 'z')
    },

    async 'a function that captures an instance, or the class, takes the serializer along'() {
      const captured = new Secret('captured')
      const read = ray.remote(() => captured.word)
      assert.equal(await ray.get(read.remote()), 'captured')
      const make = ray.remote((word: string) => new Secret(word))
      assert.equal((await ray.get(make.remote('made'))).word, 'made')
    },

    async 'what stands for the instance may hold refs, functions and other such instances'() {
      class Box {
        readonly #content: unknown
        constructor(content: unknown) {
          this.#content = content
        }
        get content() {
          return this.#content
        }
      }
      ray.registerSerializer<Box, unknown[]>(Box, {
        serialize: (box) => [box.content],
        deserialize: ([content]) => new Box(content),
      })
      const ref = ray.put(new Float64Array(50_000).fill(3))
      const open = ray.remote(async (box: Box) => {
        const { ref, twice, secret } = box.content as {
          ref: ray.ObjectRef<Float64Array>
          twice: (x: number) => number
          secret: Secret
        }
        const values = await ray.get(ref)
        return [values.length, twice(4), secret.word]
      })
      const content = { ref, twice: (x: number) => 2 * x, secret: new Secret('inner') }
      assert.deepEqual(await ray.get(open.remote(new Box(content))), [50_000, 8, 'inner'])
      const inside = await ray.get(ray.put(new Box(new Box('nested'))))
      assert.equal((inside.content as Box).content, 'nested')
    },

    async 'a subclass goes the way of its base class unless it has its own'() {
      class Special extends Secret {}
      const back: unknown = await ray.get(ray.put(new Special('s')))
      assert.ok(back instanceof Secret && !(back instanceof Special))
      ray.registerSerializer(Special, {
        serialize: (special) => special.word,
        deserialize: (word) => new Special(word),
      })
      assert.ok((await ray.get(ray.put(new Special('s')))) instanceof Special)
      ray.deregisterSerializer(Special)
      assert.ok(!((await ray.get(ray.put(new Special('s')))) instanceof Special))
    },

    async 'an error of the serializer is that of the call, and what makes no sense is refused'() {
      class Angry {}
      ray.registerSerializer(Angry, {
        serialize: () => {
          throw new Error('not today')
        },
        deserialize: () => new Angry(),
      })
      assert.throws(() => ray.put(new Angry()), /not today/)
      ray.registerSerializer(Angry, { serialize: (x) => x, deserialize: () => new Angry() })
      assert.throws(() => ray.put(new Angry()), /is the instance itself/)
      assert.throws(() => ray.registerSerializer(Object, how as never), /not Object/)
      assert.throws(() => ray.registerSerializer(Angry, {} as never), /both functions/)
      ray.deregisterSerializer(Angry)
      assert.ok((await ray.get(ray.put(new Angry()))) instanceof Angry)
    },
  },
)
