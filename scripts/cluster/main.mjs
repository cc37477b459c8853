import { findPostgres } from '../prepare/postgres.mjs'
import { runCluster } from './run.mjs'
import { settingsFrom } from './settings.mjs'

// What `npm run cluster` runs once everything is installed and built.
await runCluster({ ...settingsFrom(process.env), postgresVersion: findPostgres() ? 15 : 18 })
