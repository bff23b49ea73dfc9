/** The style sheet. */
export const style = `
:root { --ink: #14242b; --soft: #51656e; --paper: #f0f3f2; --card: #fff; --lane: #e2e9e8; --line: #cfdad9; --accent: #0b6a70; --on-accent: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4eceb; --soft: #9db0b2; --paper: #0f1b20; --card: #1d3038; --lane: #15252b; --line: #2f454d; --accent: #62c4bf; --on-accent: #08262a; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: clamp(12px, 3vw, 32px); }
h1 { font-size: 1.5rem; letter-spacing: -.02em; margin: 0; }
h2 { display: flex; justify-content: space-between; font-size: 1rem; margin: 0 4px 10px; }
ul { list-style: none; margin: 0; padding: 0; }
input, button { font: inherit; color: inherit; border-radius: 8px; }
button { cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; }
.quiet { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 12px 20px; margin-bottom: 12px; }
.crew { display: flex; flex-wrap: wrap; gap: 6px; flex: 1; }
.crew li { padding: 2px 12px 2px 10px; border-radius: 99px; background: var(--card); border: 1px solid var(--line); border-left: 12px solid var(--who); font-size: .9rem; }
.crew small { color: var(--soft); }
.tools { display: flex; gap: 8px; }
.tools button { min-height: 40px; padding: 0 16px; background: var(--card); border: 1px solid var(--line); }
.enter { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; padding: 14px 16px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.enter label { flex: 1 1 16rem; }
.enter input, .add input { min-width: 0; min-height: 44px; padding: 6px 12px; background: var(--card); border: 1px solid var(--soft); }
.enter button, .add button { min-height: 44px; padding: 0 16px; border: 0; font-weight: 650; background: var(--accent); color: var(--on-accent); }
.notice { min-height: 1.5em; margin: 4px 0 8px; color: var(--soft); }
.columns { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 16px; align-items: start; }
.column { background: var(--lane); border-radius: 14px; padding: 12px; }
.count { color: var(--soft); font-weight: 400; }
.cards { display: grid; gap: 8px; min-height: 8px; margin-bottom: 10px; }
.card { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--who, var(--line)); border-radius: 10px; padding: 10px 12px 6px; }
.card[draggable="true"] { cursor: grab; }
.title { display: block; overflow-wrap: anywhere; }
.at { color: var(--soft); }
.acts { display: grid; grid-template-columns: repeat(6, 1fr); gap: 2px; margin-top: 4px; }
.acts button { min-height: 36px; padding: 0; border: 0; background: none; color: var(--soft); }
.acts button:hover { background: var(--lane); color: var(--ink); }
.add { display: flex; gap: 8px; }
.add input:not([type="hidden"]) { flex: 1; }
[data-live-state="reconnecting"] .notice::after { content: "Reconnecting …"; }
[data-live-unsent] { outline: 2px dashed var(--accent); }
:is(.enter, .add)[data-live-unsent] { flex-wrap: wrap; }
:is(.enter, .add)[data-live-unsent]::after { content: "Not saved. Please try again."; flex-basis: 100%; color: var(--soft); }
@media (max-width: 760px) { .columns { grid-template-columns: 1fr; } .acts button { min-height: 44px; } }
`;
