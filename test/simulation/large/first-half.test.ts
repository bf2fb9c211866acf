import { hundredNodes } from './hundred-nodes.js'

hundredNodes([1, 100])
