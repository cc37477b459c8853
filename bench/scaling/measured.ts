/**
 * What one step costs, as measured on two cores of an EPYC, rounded up. Whoever has other machines puts their figures here.
 * Where each comes from is said in docs/scaling.md.
 */
export const measured = {
  /** CPU of a node for one message or receipt: received, decided, committed, acknowledged. */
  nodeMicrosecondsOfSend: 25,
  /** CPU of a node for each further listener that hears it. */
  nodeMicrosecondsOfListener: 2.7,
  /** CPU of a node to say one commit on the bus, and to hear one of another node. */
  nodeMicrosecondsOfSaying: 7,
  nodeMicrosecondsOfHearing: 8,
  /** CPU of PostgreSQL for a message in a batch. */
  storeMicrosecondsOfSend: 12,
  /** CPU of PostgreSQL and of the node for a commit, however little is in it, and how long one takes. */
  storeMicrosecondsOfCommit: 850,
  nodeMicrosecondsOfCommit: 700,
  commitMilliseconds: 2,
  /** Bytes of PostgreSQL's log for a message of 200 bytes, and of its tables and indexes. */
  logBytesOfSend: 700,
  tableBytesOfSend: 620,
  /** Bytes on the bus, once for each node that hears it. */
  busBytesOfSend: 700,
  /** Memory of a node for a connection that says nothing. */
  kibibytesOfConnection: 12,
  /** CPU of a node for somebody who signs in anew, on the socket. */
  nodeMillisecondsOfSignIn: 0.6,
} as const

export type Measured = { readonly [Name in keyof typeof measured]: number }
