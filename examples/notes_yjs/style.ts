/** The style sheet. */
export const style = `
:root { --ink: #14242b; --soft: #51656e; --paper: #f0f3f2; --card: #fff; --line: #cfdad9; --accent: #0b6a70; --on-accent: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4eceb; --soft: #9db0b2; --paper: #0f1b20; --card: #15252b; --line: #2f454d; --accent: #62c4bf; --on-accent: #08262a; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 860px; margin: 0 auto; padding: clamp(12px, 3vw, 32px); }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 20px; }
h1 { font-size: 1.5rem; letter-spacing: -.02em; margin: 0; }
#crew { display: flex; flex-wrap: wrap; gap: 6px; flex: 1; list-style: none; margin: 0; padding: 0; }
#crew li { padding: 2px 12px 2px 10px; border-radius: 99px; background: var(--card); border: 1px solid var(--line); border-left: 12px solid var(--who); font-size: .9rem; }
@media (max-width: 520px) { #crew { order: 1; flex-basis: 100%; } h1 { flex: 1; } }
#status { margin: 0; color: var(--soft); }
form { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; margin: 16px 0; }
input, button { font: inherit; color: inherit; min-height: 44px; border-radius: 8px; }
input { min-width: 0; flex: 1 1 12rem; padding: 6px 12px; background: var(--card); border: 1px solid var(--soft); }
button { padding: 0 16px; border: 0; font-weight: 650; background: var(--accent); color: var(--on-accent); cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; }
#editor { min-height: 50vh; background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
#editor pre { margin: 0; padding: 12px 16px; font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; }
#editor .cm-editor { min-height: 50vh; }
#editor .cm-content { font: 16px/1.6 system-ui, sans-serif; caret-color: var(--ink); padding: 10px 8px; }
#editor .cm-gutters { background: none; border: 0; color: var(--soft); }
#editor .cm-activeLine, #editor .cm-activeLineGutter { background: color-mix(in srgb, var(--accent) 8%, transparent); }
#editor .cm-selectionBackground { background: color-mix(in srgb, var(--accent) 25%, transparent) !important; }
`;
