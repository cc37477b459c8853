import { openNodeSdk } from './support/node-sdk.ts'
import { walk } from './support/walk.ts'

walk('in Node', openNodeSdk)
