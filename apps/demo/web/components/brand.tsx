export function Brand() {
  return (
    <span className="brand">
      <img className="brand-mark" src="/icon.svg" alt="" width="30" height="30" />
      Parley
    </span>
  )
}
