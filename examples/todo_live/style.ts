/** The style sheet. */
export const style = `
:root { --ink: #14242b; --soft: #51656e; --paper: #f4f6f4; --card: #fff; --line: #d5dedd; --accent: #0b6a70; --on-accent: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4eceb; --soft: #9db0b2; --paper: #0f1b20; --card: #17262c; --line: #2b3e45; --accent: #62c4bf; --on-accent: #08262a; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 540px; margin: 0 auto; padding: clamp(20px, 6vw, 56px) 16px; }
h1 { font-size: 2rem; letter-spacing: -.02em; margin: 0 0 20px; }
input, button { font: inherit; color: inherit; min-height: 44px; border-radius: 10px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.quiet { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.new { display: flex; gap: 8px; }
.new input { flex: 1; min-width: 0; padding: 8px 14px; background: var(--card); border: 1px solid var(--soft); }
.new button { border: 0; padding: 8px 20px; font-weight: 650; background: var(--accent); color: var(--on-accent); cursor: pointer; }
.items { list-style: none; margin: 16px 0; padding: 0; }
.items li { display: flex; align-items: center; gap: 12px; padding: 6px 8px; margin-bottom: 6px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.items span { flex: 1; overflow-wrap: anywhere; }
.items form { display: flex; }
.done span { color: var(--soft); text-decoration: line-through; }
.tick { display: grid; place-content: center; width: 36px; height: 36px; min-height: 0; padding: 0; border: 2px solid var(--soft); border-radius: 50%; background: none; font-weight: 700; line-height: 1; cursor: pointer; }
.done .tick { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
.remove { width: 44px; border: 0; background: none; font-size: 1.3rem; color: var(--soft); cursor: pointer; }
.left, .empty { color: var(--soft); }
[data-live-state="reconnecting"] .left::after { content: " · reconnecting …"; }
.new[data-live-unsent] { flex-wrap: wrap; }
.new[data-live-unsent]::after { content: "Not saved. Please try again."; flex-basis: 100%; color: var(--soft); }
.items [data-live-unsent] button { outline: 2px dashed var(--accent); }
`;
