import type { Check, Finding } from '../history.ts'

/** After the load, memory and files are back within this part of what they were. */
const TOLERANCE = 0.1
/** Small processes vary by more than a tenth for reasons of their own: caches that fill, code that is compiled. */
const SLACK_BYTES = 64 * 1024 * 1024
const SLACK_FILES = 4
const EVENT_LOOP_P99_MS = 100

/** C12: what the load took is given back, and outside the fault nobody had to wait for the event loop. */
export const leak: Check = ({ resources, slowness = 1 }) => {
  if (!resources) return []
  const { before, after, eventLoopP99Ms } = resources
  const findings: Finding[] = []
  const say = (sentence: string) => findings.push({ check: 'C12', sentence })
  if (after.rssBytes > before.rssBytes * (1 + TOLERANCE) + SLACK_BYTES) {
    say(`memory went from ${mega(before.rssBytes)} to ${mega(after.rssBytes)} MB`)
  }
  if (after.files > before.files * (1 + TOLERANCE) + SLACK_FILES) {
    say(`open files went from ${before.files} to ${after.files}`)
  }
  if (eventLoopP99Ms > EVENT_LOOP_P99_MS * slowness) say(`the event loop was late by ${Math.round(eventLoopP99Ms)} ms`)
  return findings
}

const mega = (bytes: number) => Math.round(bytes / 1024 / 1024)
