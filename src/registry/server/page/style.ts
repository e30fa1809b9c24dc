/** How the pages look: light or dark, as the reader's system is set. */
export const style = `
:root {
  color-scheme: light dark;
  --back: light-dark(#f4f6f8, #0d1419);
  --card: light-dark(#ffffff, #151e25);
  --line: light-dark(#dfe5ea, #26323b);
  --soft: light-dark(#eef2f5, #1c2730);
  --text: light-dark(#15222c, #e4ecf1);
  --muted: light-dark(#5a6b78, #93a4b0);
  --accent: light-dark(#0b5f7e, #63c3e6);
  --fill: light-dark(#0b6e92, #3aa3cb);
  --danger: light-dark(#b3261e, #ff8a80);
  --bar: light-dark(#0c2c3a, #0a1b24);
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', 'JetBrains Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
}
* { box-sizing: border-box; }
html { font: 15px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--back); color: var(--text); }
.width { width: 100%; max-width: 68rem; margin: 0 auto; padding: 0 1.5rem; }
main { flex: 1; padding-top: 1.75rem !important; padding-bottom: 3rem !important; outline: none; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--fill); outline-offset: 2px; border-radius: 4px; }
[hidden] { display: none !important; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .75rem; z-index: 2; padding: .4rem .8rem; background: var(--card); border-radius: 6px; }
code, pre { font-family: var(--mono); font-size: .87em; }
pre code { font-size: 1em; }
.muted, small { color: var(--muted); }
.whole { overflow-wrap: anywhere; }

.bar { background: var(--bar); color: #e9f3f8; }
.bar .width { display: flex; align-items: center; gap: .8rem; min-height: 3.6rem; }
.brand { display: inline-flex; align-items: center; gap: .65rem; color: inherit; font-weight: 650; letter-spacing: .01em; }
.brand:hover { text-decoration: none; color: #fff; }
.mark { width: 1.65rem; height: 1.65rem; fill: none; stroke: #6fd0f0; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
.session { margin-left: auto; display: flex; align-items: center; gap: .8rem; }
.session form { margin: 0; }
.bar .button { background: transparent; color: inherit; border-color: #ffffff40; }
.bar .button:hover { background: #ffffff1a; }
.bar .badge { background: #ffffff1f; color: inherit; }
.bar :focus-visible { outline-color: #9be1fa; }
.user::before { content: ''; display: inline-block; width: .5rem; height: .5rem; margin-right: .5rem; border-radius: 50%; background: #58d68d; }
footer { padding-top: 1rem !important; padding-bottom: 1.5rem !important; color: var(--muted); font-size: .85rem; }
footer p { margin: 0; }

.head { display: flex; flex-wrap: wrap; align-items: center; gap: .6rem 1.2rem; margin-bottom: 1rem; }
h1 { margin: 0; font-size: 1.55rem; line-height: 1.25; font-weight: 680; letter-spacing: -.012em; overflow-wrap: anywhere; }
h1 .path { color: var(--muted); font-weight: 500; }
h1 code { font-size: .9em; }
h2 { margin: 2rem 0 .7rem; font-size: 1.08rem; font-weight: 650; }
.count { display: inline-block; margin-left: .25rem; padding: 0 .5rem; border-radius: 1rem; background: var(--soft); color: var(--muted); font-size: .8rem; font-weight: 550; }
.crumbs ol { display: flex; flex-wrap: wrap; gap: .2rem .5rem; margin: 0 0 .55rem; padding: 0; list-style: none; font-size: .88rem; color: var(--muted); }
.crumbs li + li::before { content: '/'; margin-right: .5rem; opacity: .55; }
.head .filter, .head > .button, .head > .badge { margin-left: auto; }
.filter input { width: 17rem; max-width: 100%; padding: .45rem .8rem; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.filter input:focus { border-color: var(--fill); outline: 2px solid color-mix(in srgb, var(--fill) 35%, transparent); outline-offset: 0; }
.facts { display: flex; flex-wrap: wrap; gap: .3rem 1.6rem; margin: -.35rem 0 1rem; color: var(--muted); }
.facts b, .facts .number { color: var(--text); font-weight: 600; }

.button { display: inline-block; padding: .38rem .9rem; font: inherit; font-weight: 550; color: var(--text); background: var(--card); border: 1px solid var(--line); border-radius: 8px; cursor: pointer; }
.button:hover { background: var(--soft); text-decoration: none; }
.button.main { background: light-dark(#0b5f7e, #1d7fa5); border-color: transparent; color: #fff; }
.button.main:hover { background: light-dark(#094e68, #2690ba); }
.button.danger { color: var(--danger); border-color: color-mix(in srgb, var(--danger) 45%, transparent); }
.button.danger:hover { background: color-mix(in srgb, var(--danger) 10%, var(--card)); }
.button.danger.main { color: #fff; background: light-dark(#b3261e, #b93a32); border-color: transparent; }
.button.danger.main:hover { background: light-dark(#94201a, #cf4a41); }
.badge { display: inline-block; padding: .06rem .55rem; border-radius: 1rem; background: var(--soft); color: var(--text); font-size: .8rem; white-space: nowrap; }
.badge.quiet { color: var(--muted); }
.badges { display: inline-flex; flex-wrap: wrap; gap: .3rem; }

.card, .rows { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.rows { width: 100%; border-collapse: separate; border-spacing: 0; }
.rows th, .rows td { padding: .68rem 1rem; text-align: left; vertical-align: middle; border-top: 1px solid var(--line); font-weight: inherit; }
.rows thead th { border-top: 0; padding: .6rem 1rem; color: var(--muted); font-size: .8rem; font-weight: 550; }
.rows tbody tr:hover { background: color-mix(in srgb, var(--soft) 60%, transparent); }
.rows tbody tr:last-child:hover > :first-child { border-bottom-left-radius: 11px; }
.rows .end { text-align: right; white-space: nowrap; }
.name { font-weight: 600; overflow-wrap: anywhere; }
.name .path { font-weight: 450; color: var(--muted); }
.number, time { font-variant-numeric: tabular-nums; white-space: nowrap; }
time { color: var(--muted); }
.digest { color: var(--muted); }
a .digest { color: inherit; }
.actions { width: 1%; }
.copy, .remove { display: inline-grid; place-items: center; width: 1.9rem; height: 1.9rem; vertical-align: middle; padding: 0; color: var(--muted); background: none; border: 0; border-radius: 7px; cursor: pointer; }
.copy:hover { color: var(--accent); background: var(--soft); }
.remove:hover { color: var(--danger); background: var(--soft); }
.copy svg, .remove svg { width: 1.05rem; height: 1.05rem; fill: none; stroke: currentColor; stroke-width: 1.25; stroke-linejoin: round; stroke-linecap: round; }
.copy.done { color: light-dark(#1c7c43, #6ddc98); }
.share { display: block; width: 100%; height: 5px; border-radius: 3px; background: var(--soft); overflow: hidden; }
.share rect { fill: var(--fill); }
.quota { display: inline-flex; align-items: center; gap: .55rem; }
.facts .quota { margin-left: .7rem; }
.limit { width: 11rem; white-space: nowrap; }
.quota .share { width: 5rem; }
.quota.short rect { fill: var(--danger); }
.pages { margin: 1.1rem 0 0; text-align: center; }
.nothing, .welcome { padding: 2.2rem 1.5rem; text-align: center; color: var(--muted); background: var(--card); border: 1px dashed var(--line); border-radius: 12px; }
.welcome pre { display: inline-block; margin: .6rem 0; padding: .8rem 1.1rem; text-align: left; background: var(--soft); color: var(--text); border-radius: 8px; overflow-x: auto; max-width: 100%; }

.command { display: flex; align-items: center; gap: .4rem; margin-bottom: 1rem; padding: .5rem .5rem .5rem 1rem; background: var(--soft); border-radius: 10px; }
.command code { flex: 1; overflow-wrap: anywhere; }
.command .typed::before { content: '$ '; color: var(--muted); }
.definitions { margin: 0; padding: .35rem 0; }
.definitions > div { display: grid; grid-template-columns: 11rem 1fr; gap: .2rem 1rem; padding: .4rem 1.1rem; }
.definitions.long > div { grid-template-columns: minmax(11rem, 22rem) 1fr; }
.definitions dt { color: var(--muted); overflow-wrap: anywhere; }
.definitions dd { margin: 0; min-width: 0; }
.definitions .copy { margin: -.4rem 0 -.35rem .2rem; }
.values { margin: 0; padding: 0; list-style: none; overflow-wrap: anywhere; }
.steps { margin: 0; padding: 0; list-style: none; counter-reset: step; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.steps li { counter-increment: step; display: grid; grid-template-columns: 1.8rem minmax(0, 1fr) 11rem; gap: .1rem 1rem; align-items: start; padding: .65rem 1.1rem; }
.steps li + li { border-top: 1px solid var(--line); }
.steps li::before { content: counter(step); color: var(--muted); font-size: .82rem; text-align: right; font-variant-numeric: tabular-nums; line-height: 1.7; }
.steps .done { overflow-wrap: anywhere; white-space: pre-wrap; }
.steps .empty .done { color: var(--muted); }
.weight { display: grid; grid-template-columns: 1fr 4.6rem; gap: .7rem; align-items: center; }
.weight .number { text-align: right; }
.which { grid-column: 2; font-size: .85rem; }
details.card { margin-top: 2rem; overflow: hidden; }
summary { padding: .7rem 1.1rem; cursor: pointer; font-weight: 600; }
details pre { margin: 0; padding: 1rem 1.1rem; border-top: 1px solid var(--line); overflow-x: auto; }

.dialog { max-width: 27rem; margin: 2rem auto; padding: 1.6rem 1.8rem 1.8rem; box-shadow: 0 8px 30px light-dark(#0c2c3a14, #00000040); }
.dialog h1 { font-size: 1.3rem; margin-bottom: .5rem; }
.dialog p { margin: .5rem 0 .9rem; }
.dialog label { display: block; margin: .8rem 0 .25rem; font-weight: 550; }
.dialog input:not([type=hidden]) { width: 100%; padding: .5rem .75rem; font: inherit; color: inherit; background: var(--back); border: 1px solid var(--line); border-radius: 8px; }
.dialog form > .button.main { width: 100%; margin-top: 1.3rem; padding: .55rem; }
.problem { padding: .5rem .8rem; border-radius: 8px; color: var(--danger); background: color-mix(in srgb, var(--danger) 11%, transparent); }
.choices { display: flex; justify-content: flex-end; gap: .6rem; margin-top: 1.2rem; }

@media (max-width: 44rem) {
  .width { padding: 0 1rem; }
  .head .filter { width: 100%; margin: 0; }
  .filter input { width: 100%; }
  .rows thead { position: absolute; clip-path: inset(50%); }
  .rows, .rows tbody, .rows tr, .rows th, .rows td { display: block; }
  .rows tbody tr { padding: .65rem 1rem; border-top: 1px solid var(--line); }
  .rows tbody tr:first-child { border-top: 0; }
  .rows th, .rows td { padding: .12rem 0; border: 0; }
  .rows .end { text-align: left; white-space: normal; }
  .rows td[data-label]::before { content: attr(data-label); display: inline-block; width: 6.2rem; color: var(--muted); font-size: .85rem; }
  .rows .actions { width: auto; margin-left: -.4rem; }
  .definitions > div, .definitions.long > div { grid-template-columns: 1fr; }
  .limit { width: auto; }
  .limit:empty { display: none !important; }
  .steps li { grid-template-columns: 1.4rem minmax(0, 1fr); padding: .65rem .9rem; }
  .weight { grid-column: 2; max-width: 15rem; }
}
@media print { .bar .session, .filter, .actions { display: none; } }
`;
