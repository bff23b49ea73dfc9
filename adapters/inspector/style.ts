/** The style sheet. */
export const style: string = `
:root { --ink: #14242b; --soft: #4b5f68; --paper: #f0f3f2; --card: #fff; --line: #cfdad9; --accent: #0b6a70; --on-accent: #fff; --second: #b3541e; --danger: #a3242b; --on-danger: #fff; --area: #0b6a7022; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4eceb; --soft: #a3b5b8; --paper: #0f1b20; --card: #1a2b32; --line: #31474f; --accent: #62c4bf; --on-accent: #08262a; --second: #f0a06a; --danger: #f08b8f; --on-danger: #2c0a0c; --area: #62c4bf22; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
a { color: var(--accent); }
h1 { font-size: 1.4rem; letter-spacing: -.02em; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 28px 0 10px; }
p { margin: 8px 0; }
small, .soft { color: var(--soft); font-size: .875rem; }
ul { list-style: none; margin: 0; padding: 0; }
dl { margin: 0; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.quiet { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.skip:focus { position: static; width: auto; height: auto; clip-path: none; display: inline-block; padding: 8px 12px; }
.top { background: var(--card); border-bottom: 1px solid var(--line); }
.top > div { max-width: 1120px; margin: 0 auto; padding: 8px clamp(12px, 3vw, 32px); display: flex; flex-wrap: wrap; align-items: center; gap: 4px 20px; }
.brand { font-weight: 700; margin-right: auto; }
.brand small { font-weight: 400; margin-left: 6px; }
.top ul { display: flex; flex-wrap: wrap; gap: 2px; }
.top li a { display: block; padding: 10px 12px; min-height: 44px; border-radius: 8px; color: inherit; text-decoration: none; }
.top li a:hover { text-decoration: underline; }
.top li a[aria-current] { background: var(--accent); color: var(--on-accent); }
main { max-width: 1120px; margin: 0 auto; padding: 20px clamp(12px, 3vw, 32px) 60px; }
.head { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; margin-bottom: 14px; }
.head h1 { margin-right: auto; }
.notice { padding: 10px 14px; border: 1px solid var(--line); border-left: 4px solid var(--accent); border-radius: 8px; background: var(--card); }
.notice.bad { border-left-color: var(--danger); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(160px, 1fr)); gap: 10px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 12px 14px; }
.tile dt { color: var(--soft); font-size: .875rem; }
.tile dd { margin: 2px 0 0; font-size: 1.5rem; font-weight: 650; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.tile dd small { display: block; font-weight: 400; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); gap: 10px; }
.chart { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 12px 14px 8px; }
.chart figcaption { display: flex; justify-content: space-between; gap: 12px; }
.chart .title { white-space: nowrap; color: var(--soft); font-size: .875rem; }
.chart .now { font-variant-numeric: tabular-nums; font-size: .9rem; text-align: right; }
.chart .now span + span { margin-left: 8px; }
.chart .now .line0 { color: var(--accent); }
.chart .now .line1 { color: var(--second); }
.chart svg { display: block; width: 100%; height: 56px; margin: 6px 0 2px; }
.chart polyline { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.chart polyline.line1 { stroke: var(--second); stroke-dasharray: 4 3; }
.chart polygon { fill: var(--area); }
.chart .peak { margin: 0; color: var(--soft); font-size: .8rem; text-align: right; }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
caption { text-align: left; color: var(--soft); font-size: .875rem; padding-bottom: 6px; }
th { text-align: left; color: var(--soft); font-size: .8rem; font-weight: 600; }
th, td { padding: 8px 12px 8px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.num { text-align: right; padding-right: 12px; }
.id, .tree, code { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; font-size: .9rem; }
.id { overflow-wrap: anywhere; }
.ids li a { display: block; padding: 10px 0; min-height: 44px; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.ids li:last-child a { border-bottom: 0; }
form.find { display: flex; flex-wrap: wrap; gap: 10px; align-items: end; margin-bottom: 14px; }
label { display: block; font-size: .875rem; color: var(--soft); }
input, select, button, .button { font: inherit; color: inherit; min-height: 44px; border-radius: 8px; }
input, select { padding: 6px 10px; background: var(--card); border: 1px solid var(--soft); max-width: 100%; }
form.find input { width: 20rem; }
button, .button { cursor: pointer; padding: 8px 16px; background: var(--card); border: 1px solid var(--soft); text-decoration: none; display: inline-flex; align-items: center; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 650; }
button.danger { background: var(--danger); border-color: var(--danger); color: var(--on-danger); font-weight: 650; }
.tree ul { margin-left: 10px; padding-left: 12px; border-left: 1px solid var(--line); }
.tree li { padding: 2px 0; overflow-wrap: anywhere; }
.tree summary { cursor: pointer; padding: 2px 0; }
.tree .key { color: var(--soft); }
.tree .key::after { content: ":"; }
.tree .text { color: var(--accent); }
.tree .scalar { color: var(--second); }
.tree .more, .tree .empty { color: var(--soft); }
.mask { color: var(--danger); }
.state { display: inline-block; padding: 2px 10px; border-radius: 99px; border: 1px solid var(--line); background: var(--paper); font-size: .875rem; }
.refs { display: flex; flex-wrap: wrap; gap: 6px; }
[data-live-state="reconnecting"] .status::after, [data-live-state="offline"] .status::after { content: " · not connected, these are old"; color: var(--danger); }
@media (max-width: 600px) { form.find > *, form.find input, form.find select, form.find button { width: 100%; justify-content: center; } .tiles { grid-template-columns: repeat(2, 1fr); } .top ul { order: 2; width: 100%; } .top > div { padding-left: 8px; padding-right: 8px; } .brand { padding-left: 6px; margin: 4px auto 0 0; } .top ul { justify-content: space-between; } .top li a { padding: 10px 6px; font-size: .9rem; } }
`;
