import { findChromium } from './chromium.mjs'
import { findNatsServer } from './nats-server.mjs'

/** Where tests and rows of the exam find the programs that were provided for them. */
export function toolEnvironment() {
  const [chromium, natsServer] = [findChromium(), findNatsServer()]
  return { ...(chromium && { CHROMIUM: chromium }), ...(natsServer && { NATS_SERVER: natsServer }) }
}
