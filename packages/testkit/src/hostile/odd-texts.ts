/** Texts that are allowed, and that something on the way may want to change: they have to come back as they were. */
export const oddTexts: Readonly<Record<string, string>> = {
  'both line breaks': 'a\r\nb\nc\rd',
  'spaces of all kinds': ' \t\u00a0\u2003\u3000\u200b\ufeff ',
  'a byte order mark in front': '\ufeffx',
  'letters in two spellings': 'é e\u0301 Å A\u030a ﬁ',
  'text from right to left, with overrides': '\u202eevil\u202c \u2066ab\u2069 \u200f שלום',
  'a stack of accents': `z${'\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307'.repeat(40)}algo`,
  'families, flags and skins': '👨‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿 👍🏿 🇸🇪',
  'the last letters there are': '\u{10ffff}\ufffe\uffff\u{1fffe}',
  'controls other than U+0000': '\u0001\u0007\u0008\u001b[31m\u007f\u0085\u009b',
  'separators of lines that JavaScript once minded': '\u2028\u2029',
  quotes: `"'\\\`"; DROP TABLE messages; -- \\u0000 %00 \${x} {{x}}`,
  markup: '<img src=x onerror=alert(1)>&lt;&amp;</script>',
  'names of prototypes': '__proto__ constructor toString',
  'a number that is text': '1e400',
  'an empty text': '',
  'a long one': '💥'.repeat(500),
}

/** Texts that no store could give back: half a character, and the end of every C string. */
export const unstorableTexts: Readonly<Record<string, string>> = {
  'U+0000': 'a\u0000b',
  'half a pair': 'a\ud83db',
  'the other half': '\udca5',
  'the halves exchanged': '\udca5\ud83d',
}

const wide = (count: number, member: (nth: number) => string) =>
  Array.from({ length: count }, (_, nth) => member(nth)).join()
const ID = '00000000-0000-4000-8000-000000000001'
const operation = (name: string, input: string) => `{"type":"operation","id":"${ID}","name":"${name}","input":${input}}`
const send = (parts: string) => operation('send-message', `{"id":"${ID}","conversation":"${ID}","parts":${parts}}`)
const create = (metadata: string, participants = '["ben"]') =>
  operation(
    'create-conversation',
    `{"id":"${ID}","participants":${participants},"distinct":false,"metadata":${metadata}}`,
  )
const part = (body: string) => `[{"mime_type":"text/plain","body":${body}}]`

/** Frames of at most 64 KB that cost their reader as much as they can. */
export const jsonBombs: Readonly<Record<string, string>> = {
  '64 KB of brackets': '['.repeat(65_536),
  '64 KB of braces': '{"a":'.repeat(13_107),
  'brackets 32,000 deep, closed': `${'['.repeat(32_000)}${']'.repeat(32_000)}`,
  'an input 10,000 deep': operation('send-message', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
  'metadata 9 deep': create(`${'{"a":'.repeat(9)}"b"${'}'.repeat(9)}`),
  '6,000 members': `{${wide(6_000, (nth) => `"k${nth}":0`)}}`,
  '5,000 members of one name': `{${wide(5_000, () => '"type":"x"')}}`,
  'members that look like places in a list': `{${wide(4_000, (nth) => `"${4_294_967_294 - nth}":0`)}}`,
  'members whose names differ in their last letter only': `{${wide(600, (nth) => `"${'a'.repeat(90)}${nth}":0`)}}`,
  'metadata of 5,000 keys': create(`{${wide(5_000, (nth) => `"k${nth}":""`)}}`),
  '500 objects of ten members, no name twice': `[${wide(500, (nth) => `{${wide(10, (other) => `"${nth}_${other}":0`)}}`)}]`,
  'as many members as may be, no name twice': create(`{${wide(3_000, (nth) => `"k${nth}":""`)},"z":0}`),
  'metadata that names prototypes': create('{"__proto__":{"a":"b"},"constructor":{"prototype":{"a":"b"}}}'),
  '20,000 parts': send(`[${wide(20_000, () => '{}')}]`),
  '20,000 participants': create('{}', `[${wide(20_000, () => '""')}]`),
  '5,000 patches': operation('update-conversation', `{"conversation":"${ID}","patch":[${wide(5_000, () => '{}')}]}`),
  'a number without end': operation(
    'mark-messages',
    `{"conversation":"${ID}","receipt":"read","position":${'9'.repeat(60_000)}}`,
  ),
  '1e400': operation('mark-messages', `{"conversation":"${ID}","receipt":"read","position":1e400}`),
  '-1e400': operation('mark-messages', `{"conversation":"${ID}","receipt":"read","position":-1e400}`),
  '0.1 with 60,000 zeros': operation(
    'mark-messages',
    `{"conversation":"${ID}","receipt":"read","position":0.${'0'.repeat(60_000)}1}`,
  ),
  'a text of escapes': send(part(`"${'\\u0000'.repeat(10_000)}"`)),
  'a text of half pairs': send(part(`"${'\\ud83d'.repeat(10_000)}"`)),
  '60 KB of spaces': `${' '.repeat(60_000)}{}`,
  'a body that is nearly base64': send(`[{"mime_type":"a/b","encoding":"base64","body":"${'A'.repeat(60_000)}!"}]`),
  'a MIME type that backtracks': send(`[{"mime_type":"a/b${' '.repeat(30_000)}x","body":""}]`),
  'an id of 60 KB': operation(
    'mark-messages',
    `{"conversation":"layer:///conversations/${'a'.repeat(60_000)}","receipt":"read","position":1}`,
  ),
  'a stream named 10,000 times': `{"type":"pull","id":1,"streams":[${wide(1_500, () => '{"stream":"inbox","after":0}')}]}`,
}
