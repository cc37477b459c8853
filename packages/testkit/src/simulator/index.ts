export { type Plan, planOf } from './plan.ts'
export { type Campaign, runSeeds } from './run-seeds.ts'
export { type Outcome, runWorld } from './world.ts'
