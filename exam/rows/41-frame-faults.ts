import { withFrameFaults } from '../load/frame-faults.ts'
import type { Row } from '../row.ts'

export const rows: readonly Row[] = [
  {
    id: 41,
    tier: 'q',
    title: 'half of all acknowledgements are lost on a line that otherwise works',
    // A device repeats what is unanswered after 15 s: its clock is hurried so that this fits in.
    run: (context) =>
      withFrameFaults(context, {
        rules: [{ fault: 'drop', likelihood: 0.5, direction: 'down', types: ['acknowledgement'] }],
        forMs: 1_500,
        speed: 20,
      }),
  },
  {
    id: 42,
    tier: 'q',
    title: 'three frames of ten are said twice, both ways, and old ones again',
    run: (context) =>
      withFrameFaults(context, {
        rules: [
          { fault: 'duplicate', likelihood: 0.3 },
          { fault: 'replay', likelihood: 0.1 },
        ],
        forMs: 2_000,
      }),
  },
  {
    id: 43,
    tier: 'q',
    title: 'what the server says arrives in another order, within ten frames',
    run: (context) =>
      withFrameFaults(context, {
        rules: [{ fault: 'reorder', likelihood: 1, direction: 'down', window: 10 }],
        forMs: 2_000,
      }),
  },
]
