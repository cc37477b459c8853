import type { Row } from '../row.ts'
import { testsAsRow } from '../runner/tests-as-row.ts'

/** Rows that live as tests of the part they concern. `npm test` runs those tests anyway; here each has its line. */
export const rows: readonly Row[] = [
  testsAsRow({
    id: 49,
    tier: 'q',
    title: 'a laptop that was shut, and a browser that says online and offline as it pleases',
  }),
  testsAsRow({ id: 16, tier: 'q', title: 'PostgreSQL is killed under load and comes back' }),
  testsAsRow({ id: 17, tier: 'q', title: 'PostgreSQL is frozen under load' }),
  testsAsRow({ id: 18, tier: 'q', title: 'PostgreSQL is restarted under load, fast and at once' }),
  testsAsRow({ id: 20, tier: 'q', title: 'a transaction commits after others that came later' }),
  testsAsRow({ id: 21, tier: 'q', title: 'several writers on the same conversations, and deadlocks' }),
  testsAsRow({ id: 24, tier: 'q', title: 'three servers migrate at once, and one is killed in the middle' }),
  testsAsRow({ id: 32, tier: 'q', title: 'hints between nodes dropped, doubled, reordered and late' }),
  testsAsRow({ id: 33, tier: 'q', title: 'hints that are hostile' }),
  testsAsRow({ id: 38, tier: 'q', title: 'who is here and who types, when their node dies or sleeps' }),
  testsAsRow({ id: 58, tier: 'q', title: 'the tab with the engine is closed, crashes or freezes' }),
  testsAsRow({ id: 60, tier: 'q', title: 'five tabs each send 200 at once' }),
  testsAsRow({ id: 70, tier: 'q', title: 'one tab signs out while another sends' }),
  testsAsRow({ id: 83, tier: 'q', title: 'a session expires with five tabs open' }),
  testsAsRow({ id: 109, tier: 'q', title: 'Wycheproof’s signatures and keys' }),
  testsAsRow({ id: 110, tier: 'q', title: 'identity tokens: the algorithm is none, another, or not what it says' }),
  testsAsRow({ id: 111, tier: 'q', title: 'identity tokens: headers that bring or name their own keys' }),
  testsAsRow({
    id: 112,
    tier: 'q',
    title: 'identity tokens: claims that are missing, of the wrong kind, or out of time',
  }),
  testsAsRow({ id: 113, tier: 'q', title: 'one nonce is used a hundred times at once' }),
  testsAsRow({ id: 114, tier: 'q', title: 'nonces of others, expired, cut short, or invented' }),
  testsAsRow({ id: 117, tier: 'q', title: 'key sets that are slow, huge, elsewhere, or asked for without end' }),
  testsAsRow({ id: 118, tier: 'q', title: 'somebody else’s identity token is given to a page' }),
  testsAsRow({ id: 122, tier: 'q', title: 'who may do what, cell by cell' }),
  testsAsRow({ id: 124, tier: 'q', title: 'members that nobody asked for, and values of other types' }),
  testsAsRow({ id: 125, tier: 'q', title: 'bearer tokens that are stolen, revoked, or in the wrong place' }),
  testsAsRow({ id: 126, tier: 'q', title: 'two apps with the same names for everything' }),
  testsAsRow({ id: 128, tier: 'q', title: 'JSON made to hurt, and text that must come back as it was' }),
  testsAsRow({ id: 132, tier: 'q', title: 'hostile text in a browser' }),
]
