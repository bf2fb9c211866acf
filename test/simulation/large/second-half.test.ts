import { hundredNodes } from './hundred-nodes.js'

hundredNodes([11, 12])
