import { errors } from '@parley/protocol'

const RETRY = {
  never: 'The answer stands; asking again changes nothing.',
  later: 'Nothing happened. Ask again after a moment, or after the time given.',
  'after-authentication': 'Ask again once there is a session.',
} as const

/** The catalog of errors as a page: where the `url` of every error leads. */
export function errorsPage(): string {
  const entries = Object.entries(errors).map(
    ([id, { code, status, retry, sentence }]) =>
      `<section id="${id}"><h2><code>${id}</code> <small>${code} · HTTP ${status}</small></h2>` +
      `<p>${sentence}</p><p>${RETRY[retry]}</p></section>`,
  )
  return (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Parley: errors</title>' +
    '<meta name="viewport" content="width=device-width"><style>:root{color-scheme:light dark}' +
    'body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}' +
    'h2{font-size:1.1rem;margin:2rem 0 .25rem}p{margin:.25rem 0}section:target h2{text-decoration:underline}</style>' +
    `<h1>Errors</h1>${entries.join('')}</html>`
  )
}
