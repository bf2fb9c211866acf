import { hundredNodes } from './hundred-nodes.js'

hundredNodes([1, 2, 3, 4])
