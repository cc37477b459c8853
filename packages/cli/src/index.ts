export { run } from './run.ts'
export { Obstacle, type Surroundings } from './surroundings.ts'
