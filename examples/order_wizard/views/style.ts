/** The one style sheet; no build, no font, no script. */
export const style = `
:root {
  --ink: #14242b; --soft: #51656e; --paper: #f4f6f4; --card: #ffffff; --line: #d5dedd;
  --accent: #0b6a70; --accent-ink: #ffffff; --tint: #e2efee; --bad: #a3261b; --bad-tint: #fbeae7;
  --radius: 12px; --gap: clamp(16px, 3vw, 28px);
}
@media (prefers-color-scheme: dark) {
  [data-theme="auto"] {
    --ink: #e4eceb; --soft: #9db0b2; --paper: #0f1b20; --card: #17262c; --line: #2b3e45;
    --accent: #62c4bf; --accent-ink: #08262a; --tint: #1c3439; --bad: #ff9b8c; --bad-tint: #3b211f;
  }
}
[data-theme="dark"] {
  --ink: #e4eceb; --soft: #9db0b2; --paper: #0f1b20; --card: #17262c; --line: #2b3e45;
  --accent: #62c4bf; --accent-ink: #08262a; --tint: #1c3439; --bad: #ff9b8c; --bad-tint: #3b211f;
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 0 var(--gap); max-width: 1080px; background: var(--paper);
  color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { font-size: clamp(1.6rem, 4vw, 2.2rem); line-height: 1.15; letter-spacing: -.02em; margin: 0 0 20px; }
h2 { font-size: 1.05rem; margin: 0 0 6px; }
p { margin: 0 0 12px; }
a { color: var(--accent); text-underline-offset: 3px; }
code { font-family: ui-monospace, monospace; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.quiet { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.quiet-text, .hint, .about { color: var(--soft); }
.hint { font-size: .875rem; margin: 6px 0 12px; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 8px; top: 8px; background: var(--card); padding: 8px 12px; z-index: 1; }
.top { display: flex; flex-wrap: wrap; gap: 12px 24px; align-items: center; justify-content: space-between; padding: 18px 0; }
.brand { margin: 0; font-weight: 750; font-size: 1.15rem; letter-spacing: -.01em; }
.brand a { color: inherit; text-decoration: none; }
.brand span { color: var(--accent); }
.tools { display: flex; flex-wrap: wrap; gap: 12px; align-items: center; }
button, .button {
  font: inherit; font-weight: 600; min-height: 44px; padding: 8px 18px; border: 0; border-radius: 10px;
  background: var(--accent); color: var(--accent-ink); cursor: pointer; text-decoration: none;
  display: inline-flex; align-items: center; justify-content: center;
}
button:hover, .button:hover { filter: brightness(1.08); }
button.plain { background: none; color: var(--accent); padding: 4px 6px; text-decoration: underline; text-underline-offset: 3px; }
input, textarea {
  font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--soft); border-radius: 10px;
  min-height: 44px; padding: 8px 12px; width: 100%;
}
textarea { resize: vertical; display: block; }
input[aria-invalid] { border: 2px solid var(--bad); }
label { font-weight: 600; display: inline-block; margin-bottom: 4px; }
.theme { display: flex; border: 1px solid var(--line); border-radius: 10px; overflow: hidden; background: var(--card); }
.theme button { background: none; color: var(--soft); border-radius: 0; padding: 6px 12px; min-height: 40px; font-weight: 500; }
.theme button[aria-pressed="true"] { background: var(--tint); color: var(--ink); font-weight: 650; }
.theme button:focus-visible { outline-offset: -3px; }
.login { display: flex; gap: 8px; align-items: center; }
.login input { width: 150px; background: var(--card); border-color: var(--line); min-height: 42px; }
.login button, .panel button.second { background: none; color: var(--accent); border: 1px solid var(--accent); min-height: 42px; padding: 6px 14px; white-space: nowrap; }
.steps { list-style: none; display: flex; gap: 8px; padding: 0; margin: 4px 0 28px; counter-reset: step; }
.steps li { flex: 1; counter-increment: step; border-top: 4px solid var(--line); padding-top: 8px; color: var(--soft); font-size: .9375rem; }
.steps li::before { content: counter(step) ". "; }
.steps .now { border-color: var(--accent); color: var(--ink); font-weight: 650; }
.steps .past { border-color: var(--accent); }
.columns { display: grid; grid-template-columns: minmax(0, 1fr) 300px; gap: 32px; align-items: start; }
.columns.single { grid-template-columns: minmax(0, 692px); }
aside { position: sticky; top: 20px; background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); padding: 20px; }
.cards { list-style: none; margin: 0 0 24px; padding: 0; display: grid; gap: 16px; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); }
.card, .panel { background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); padding: 18px; }
.card { display: flex; flex-direction: column; }
.card .about { margin: 0 0 8px; font-size: .9375rem; }
.card .price { font-size: 1.15rem; font-weight: 700; margin: 0 0 12px; }
.add { display: grid; grid-template-columns: 76px 1fr; gap: 8px; }
.remove { display: flex; align-items: center; justify-content: space-between; margin: 8px -6px -10px 0; font-size: .9375rem; color: var(--soft); }
.panel { margin-bottom: 20px; }
.panel > :last-child { margin-bottom: 0; }
.panel table { max-width: 460px; }
.field { margin-bottom: 16px; }
.mistake { color: var(--bad); font-size: .9375rem; margin: 4px 0 0; }
.alert { background: var(--bad-tint); color: var(--bad); border-radius: var(--radius); padding: 12px 18px; margin-bottom: 16px; }
.alert p { margin: 0; }
.onward { display: flex; flex-wrap: wrap; gap: 12px 20px; align-items: center; justify-content: flex-end; margin: 8px 0 0; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; }
td { text-align: right; }
tbody th, tbody td { padding: 6px 0; border-bottom: 1px solid var(--line); }
tfoot th, tfoot td { padding-top: 10px; font-weight: 700; }
.count { color: var(--soft); }
address { font-style: normal; margin-bottom: 12px; }
.note { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
footer { color: var(--soft); font-size: .875rem; border-top: 1px solid var(--line); margin: 40px 0 0; padding: 16px 0 32px; }
@media (max-width: 800px) {
  .columns { grid-template-columns: minmax(0, 1fr); gap: 24px; }
  aside { position: static; }
}
@media (max-width: 520px) {
  .tools { width: 100%; justify-content: space-between; }
  .login { flex: 1 1 100%; }
  .login input { flex: 1; width: auto; min-width: 0; }
  .login span { flex: 1; }
  .theme { flex: 1; }
  .theme button { flex: 1; }
  .steps { gap: 6px; }
  .steps li { font-size: .8125rem; }
  .cards { grid-template-columns: minmax(0, 1fr); }
  .onward { justify-content: stretch; }
  .onward > button, .onward > .button { flex: 1 1 100%; order: -1; }
}
`;
