/** The style sheet. */
export const style = `
:root { --ink: #14242b; --soft: #51656e; --paper: #f4f6f4; --card: #fff; --line: #d5dedd; --accent: #0b6a70; --on-accent: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4eceb; --soft: #9db0b2; --paper: #0f1b20; --card: #17262c; --line: #2b3e45; --accent: #62c4bf; --on-accent: #08262a; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 760px; margin: 0 auto; padding: clamp(16px, 5vw, 48px) 16px; }
h1 { font-size: 1.75rem; letter-spacing: -.02em; margin: 0; }
header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: 8px 16px; margin-bottom: 16px; }
form { margin: 0; }
input, button { font: inherit; color: inherit; min-height: 44px; border-radius: 10px; padding: 6px 14px; }
button { background: var(--card); border: 1px solid var(--line); cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.quiet { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.enter { margin-top: 16px; }
.enter button, .add button { border: 0; padding: 8px 24px; font-weight: 650; background: var(--accent); color: var(--on-accent); }
.enter button { margin-right: 8px; }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; transition: opacity .2s; }
table.stale { opacity: .5; }
th { text-align: left; font-size: .85rem; font-weight: 600; color: var(--soft); }
th, td { padding: 8px 12px; border-bottom: 1px solid var(--line); }
tbody tr:last-child td { border-bottom: 0; }
.item { overflow-wrap: anywhere; min-width: 3.5rem; }
.badge { padding: 2px 10px; border-radius: 99px; border: 1px solid var(--line); font-size: .9rem; }
.badge.packed { border-color: var(--accent); }
.badge.sent { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
.acts { text-align: right; white-space: nowrap; }
.acts form { display: inline-block; }
.acts button { min-height: 36px; padding: 0 12px; }
.count { color: var(--soft); margin: 8px 4px 20px; }
.add { display: flex; flex-wrap: wrap; gap: 8px; }
.add input { background: var(--card); border: 1px solid var(--soft); }
#item { flex: 1 1 12rem; min-width: 0; }
#quantity { width: 6rem; }
@media (max-width: 560px) { th:first-child, td:first-child { display: none; } th, td { padding: 8px 6px; } .acts button { padding: 0 8px; } }
[data-live-state="reconnecting"] .count::after { content: " · reconnecting …"; }
:is(.enter, .add)[data-live-unsent]::after { content: "Not saved. Please try again."; flex-basis: 100%; color: var(--soft); }
[data-live-unsent] button { outline: 2px dashed var(--accent); }
`;
