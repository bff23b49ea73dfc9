/** The style sheet. */
export const style = `
:root { --ink: #14242b; --soft: #51656e; --paper: #f4f6f4; --card: #fff; --line: #d5dedd; --accent: #0b6a70; --on-accent: #fff; --tint: #e2efee; --two: #8a4b08; --two-tint: #fbeedd; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4eceb; --soft: #9db0b2; --paper: #0f1b20; --card: #17262c; --line: #2b3e45; --accent: #62c4bf; --on-accent: #08262a; --tint: #1c3439; --two: #f3b562; --two-tint: #3a2a14; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 560px; margin: 0 auto; padding: clamp(20px, 6vw, 48px) 16px; }
h1 { font-size: 1.9rem; letter-spacing: -.02em; margin: 0; }
.lead { color: var(--soft); margin: 4px 0 20px; }
.badge { display: flex; gap: 8px; align-items: baseline; flex-wrap: wrap; margin: 0; padding: 10px 16px; border-radius: 12px 12px 0 0; background: var(--tint); color: var(--accent); }
.badge[data-version="2"] { background: var(--two-tint); color: var(--two); }
.badge span { margin-left: auto; font-size: .9rem; }
form { background: var(--card); border: 1px solid var(--line); border-top: 0; border-radius: 0 0 12px 12px; padding: 8px 16px 16px; }
label { display: block; font-weight: 600; margin: 12px 0 4px; }
input, select, textarea, button { font: inherit; color: inherit; min-height: 44px; border-radius: 10px; }
input, select, textarea { width: 100%; padding: 8px 12px; background: var(--paper); border: 1px solid var(--soft); }
textarea { display: block; resize: vertical; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; }
.row { display: grid; grid-template-columns: 1fr 110px; gap: 12px; }
.gift { display: flex; gap: 10px; align-items: center; font-weight: 500; }
.gift input { width: 20px; min-height: 20px; accent-color: var(--two); }
.gift em { font-style: normal; font-size: .8rem; color: var(--two); background: var(--two-tint); padding: 2px 8px; border-radius: 99px; white-space: nowrap; }
.total { display: flex; justify-content: space-between; align-items: baseline; margin: 18px 0 12px; }
.total span { color: var(--soft); }
.total output { font-size: 1.5rem; font-weight: 750; font-variant-numeric: tabular-nums; white-space: nowrap; }
button { width: 100%; border: 0; font-weight: 650; background: var(--accent); color: var(--on-accent); cursor: pointer; }
.orders { margin: 10px 0 0; color: var(--soft); font-size: .9rem; text-align: center; }
[data-live-state="reconnecting"] .badge::after, [data-live-state="draining"] .badge::after { content: "moving …"; font-size: .9rem; }
[data-live-unsent]::after { content: "Not saved. Please try again."; }
`;
