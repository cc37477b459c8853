import { runDevelopment } from './run.mjs'
import { settingsFrom } from './settings.mjs'

// What `npm start` runs once everything is installed and built. Only `npm start` itself also tells .parley of the repository.
await runDevelopment(settingsFrom(process.env))
