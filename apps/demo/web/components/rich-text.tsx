import { splitLinks } from '../model/links.ts'

/** Text as it was typed, with web addresses as links. Nothing in it is ever read as markup. */
export function RichText({ text }: { text: string }) {
  let at = 0
  return splitLinks(text).map((piece) => {
    const key = at
    at += piece.text.length
    if (!piece.href) return <span key={key}>{piece.text}</span>
    return (
      <a key={key} href={piece.href} target="_blank" rel="noopener noreferrer" tabIndex={-1}>
        {piece.text}
      </a>
    )
  })
}
