export * from './hand-cranked-sockets.ts'
export * from './seeded-chance.ts'
export * from './virtual-clock.ts'
