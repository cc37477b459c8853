/**
 * `npm run bench:overload`: what the server can do, then three times that for a minute, then quiet, then what was refused
 * once more.
 *
 *     npm run bench:overload -- --seconds 20 --factor 5
 *     npm run bench:overload -- --unanswered 1000000     by senders who never wait for an answer
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { limits } from '@parley/protocol'
import { asText } from './figures/table.ts'
import { measureOverload } from './scenarios/overload.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    factor: { type: 'string', default: '3' },
    pairs: { type: 'string', default: '100' },
    unanswered: { type: 'string', default: String(limits.maxOperationsInFlight) },
    'capacity-seconds': { type: 'string', default: '6' },
    json: { type: 'string', default: 'artifacts/overload.json' },
  },
})
const result = await measureOverload(
  {
    seconds: Number(values.seconds),
    factor: Number(values.factor),
    pairs: Number(values.pairs),
    unanswered: Number(values.unanswered),
    capacitySeconds: Number(values['capacity-seconds']),
  },
  (line) => process.stderr.write(`${line}\n`),
)
const { holds, latencies, refusalMs, retryAfterMs } = result
// What nobody measured travels between processes as null.
const text = (value: number | null, digits = 0) =>
  value === null ? '–' : value.toLocaleString('en', { maximumFractionDigits: digits })
const part = (value: number) => `${((value / result.capacityPerSecond) * 100).toFixed(0)} %`
const rows = [
  ['capacity, messages/s', text(result.capacityPerSecond), '100 %'],
  ['offered', text(result.offeredPerSecond), part(result.offeredPerSecond)],
  ['kept back by their senders', text(result.heldPerSecond), part(result.heldPerSecond)],
  ['carried out', text(result.acknowledgedPerSecond), part(result.acknowledgedPerSecond)],
  ['refused', text(result.refusedPerSecond), part(result.refusedPerSecond)],
  ['acknowledged after, p50 / p99 ms', `${text(latencies.p50)} / ${text(latencies.p99)}`, ''],
  ['refused after, p50 / p99 ms', `${text(refusalMs.p50)} / ${text(refusalMs.p99)}`, ''],
  [
    'told to come back after, ms',
    text(retryAfterMs.middle),
    `${text(retryAfterMs.least)}–${text(retryAfterMs.greatest)}`,
  ],
  ['without an answer', text(result.silent), ''],
  ['acknowledged and not stored', text(result.missing), `of ${text(result.acknowledged)}`],
  ['acknowledged and not delivered', text(result.undelivered), ''],
  ['connections cut', text(result.cut), ''],
  ['as before after, ms', text(result.backAfterMs), ''],
  ['refused again when asked again', text(result.retriedInVain), `of ${text(result.retried)}`],
  [
    'of typing heard before / meanwhile / after',
    result.typingHeard.map((share) => `${text(share * 100)} %`).join(' / '),
    '',
  ],
  ['server cores', text(result.serverCores, 2), ''],
  ['load cores', text(result.clientCores, 2), ''],
  ['peak MiB', text(result.peakMiB), ''],
]
console.log(`${asText({ titles: ['overload', 'figure', ''], words: 1, rows })}\n`)
for (const [sentence, isTrue] of Object.entries(holds)) console.log(`${isTrue ? 'yes' : 'NO '}  ${sentence}`)
mkdirSync(dirname(values.json), { recursive: true })
writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`)
process.exitCode = Object.values(holds).every(Boolean) ? 0 : 1
