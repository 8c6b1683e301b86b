/** As the site looks, in both themes. */
export const STYLE = `
:root { color-scheme: light; --ground: #f7f4ec; --panel: #fffdf8; --sunken: #efeadd; --line: #ddd5c3; --ink: #1c2029;
  --muted: #5a6070; --accent: #855200; --good: #1b7355; --busy: #2563a8; --bad: #a83a1c; }
:root[data-theme='dark'] { color-scheme: dark; --ground: #0b0f17; --panel: #121825; --sunken: #080b12; --line: #263146;
  --ink: #ece8dd; --muted: #9aa5b8; --accent: #f2b84b; --good: #4fc89b; --busy: #6aaef0; --bad: #f08a66; }
* { box-sizing: border-box; }
html { background: var(--ground); color: var(--ink); scroll-padding-top: 1rem; line-height: 1.5;
  font-family: 'Avenir Next', 'Segoe UI Variable', 'Segoe UI', Ubuntu, Cantarell, 'Noto Sans', system-ui, sans-serif; }
body { max-width: 76rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1, h2 { font-family: 'Iowan Old Style', Palatino, 'URW Palladio L', P052, 'Noto Serif', Georgia, serif; line-height: 1.15;
  font-weight: 400; }
h1 { font-size: clamp(2rem, 5vw, 3rem); margin: 1.5rem 0 0; }
h2 { font-size: 1.75rem; margin: 3rem 0 1rem; } h2::first-letter { text-transform: uppercase; }
h3 { font-size: 1rem; margin: 1.25rem 0 0.5rem; }
a { color: var(--accent); text-underline-offset: 3px; }
p { max-width: 48rem; }
.muted { color: var(--muted); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; padding: 0; list-style: none; }
code, pre { font-family: ui-monospace, 'Cascadia Code', 'JetBrains Mono', 'DejaVu Sans Mono', monospace; font-size: 0.875rem; }
pre { margin: 0; padding: 0.875rem 1rem; border-radius: 0.5rem; background: var(--sunken); white-space: pre-wrap;
  overflow-wrap: anywhere; }
pre i { color: var(--muted); font-style: normal; }
details { border: 1px solid var(--line); border-radius: 0.75rem; background: var(--panel); margin-top: 0.5rem; }
summary { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 0.875rem; padding: 0.7rem 1rem; cursor: pointer;
  border-radius: 0.75rem; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary::before { content: '▸'; content: '▸' / ''; color: var(--muted); } [open] > summary::before { content: '▾'; content: '▾' / ''; }
summary code { overflow-wrap: anywhere; font-weight: 600; }
summary:hover { background: var(--sunken); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.method { min-width: 4.2rem; font-weight: 700; font-size: 0.8rem; }
.get { color: var(--busy); } .post, .put { color: var(--good); } .patch { color: var(--accent); } .delete { color: var(--bad); }
.inside { padding: 0 1rem 1rem; }
dl { margin: 0; display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: 0.35rem 1.25rem; }
dt { overflow-wrap: anywhere; } dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.6rem; } }
`;

/** The theme that was chosen on the site, before anything is painted. */
export const SCRIPT = `{const chosen=localStorage.getItem('gleaner.theme');
document.documentElement.dataset.theme=chosen==='dark'||chosen==='light'?chosen:matchMedia('(prefers-color-scheme: dark)').matches?'dark':'light'}`;
