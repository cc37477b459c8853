/**
 * The balancer as a program: `node main.js <port> <node's port> <node's port> …`. Says where it listens in one line of JSON,
 * then in plain lines what becomes of its nodes.
 */
import { startBalancer } from './balancer.ts'

const [port, ...ports] = process.argv.slice(2).map(Number)
const targets = ports.map((one) => ({ port: one }))
const balancer = await startBalancer({
  targets,
  port: port ?? 0,
  onChange: ({ port: node, isIn, open }, reason) => {
    console.log(`${isIn ? 'back' : 'out'}: node at port ${node}, ${reason}; it has ${open} connections`)
  },
})
console.log(JSON.stringify({ port: balancer.port }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void balancer.close())
