/** Light and dark, by the reader's own setting. */
export const STYLE = `
:root { --ink: #17202e; --soft: #5b6678; --paper: #f3f5f9; --card: #fff; --line: #8791a3; --accent: #2f4fd0; --bad: #b3261e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eef1f7; --soft: #a9b3c4; --paper: #10141c; --card: #1a202c; --line: #667085; --accent: #9db0ff; --bad: #ffb4ab }
}
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif }
main { width: min(24rem, 100%); padding: 2rem; border-radius: 1rem; background: var(--card); box-shadow: 0 1rem 3rem #0002 }
h1 { margin: 0 0 1.5rem; font-size: 1.5rem; line-height: 1.2; overflow-wrap: anywhere }
label { display: block; margin-bottom: .25rem; font-weight: 600 }
input { width: 100%; margin-bottom: 1rem; padding: .625rem .75rem; border: 1px solid var(--line); border-radius: .5rem;
  background: transparent; color: inherit; font: inherit }
button, .button { display: block; width: 100%; padding: .75rem; border: 1px solid var(--accent); border-radius: .5rem; background: var(--accent);
  color: var(--card); font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer }
.quiet { background: transparent; color: var(--accent) }
a { color: var(--accent) }
a.button { color: var(--card) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
[role=alert] { padding: .625rem .75rem; border-left: 4px solid var(--bad); color: var(--bad) }
main > p:last-child { margin-bottom: 0; color: var(--soft) }
`
