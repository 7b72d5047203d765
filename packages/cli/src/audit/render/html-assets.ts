/** Style and script of the report page, kept apart from its content. Colours carry no meaning alone. */
export const htmlStyle = `
:root{--ink:#1c2430;--quiet:#5d6878;--paper:#f6f7f9;--card:#fff;--line:#e2e6ec;--accent:#2a5bd7;
--critical:#a3123a;--high:#c2410c;--medium:#946200;--low:#2563a8;--info:#5d6878;--good:#17784a;
--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--quiet:#98a3b3;--paper:#12161c;--card:#1a2029;--line:#2c3542;--accent:#8ab0ff;
--critical:#ff7d9c;--high:#ff9a5c;--medium:#e6bb4a;--low:#7db7f5;--info:#98a3b3;--good:#5fd39b}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:62rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:1.6rem;line-height:1.25;margin:.1rem 0 .5rem;font-weight:650;letter-spacing:-.01em;text-wrap:balance}
h2{font-size:1.15rem;margin:0 0 1rem;font-weight:650}
h3{font-size:1rem;margin:0;font-weight:650}
p{margin:.35rem 0}
a{color:var(--accent);text-underline-offset:.15em;text-decoration-thickness:.06em}nav a{text-decoration:none}a:hover{text-decoration:underline;text-decoration-thickness:.12em}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:.2rem}
.quiet,.eyebrow{color:var(--quiet)}
.eyebrow{font-size:.8rem;letter-spacing:.06em;text-transform:uppercase;margin:0}
section{margin-top:2.75rem;min-width:0}
.verdict{display:flex;gap:1.75rem;align-items:center}
.letter{flex:none;width:6.5rem;height:6.5rem;border-radius:1.4rem;display:grid;place-items:center;font-size:3.6rem;font-weight:700;color:#fff;background:var(--tone)}
.grade-A{--tone:#17784a}.grade-B{--tone:#4b8b2b}.grade-C{--tone:#a87a00}.grade-D{--tone:#c2410c}.grade-F{--tone:#a3123a}.grade-none{--tone:#5d6878}
/* A high or critical finding is nothing to be calm about, whatever the letter. */
.grade-A.serious,.grade-B.serious{--tone:#a87a00}
nav{display:flex;flex-wrap:wrap;gap:.4rem 1.4rem;margin-top:1.75rem;padding:.75rem 0;border-block:1px solid var(--line);font-size:.95rem}
nav b{font-weight:600;color:var(--quiet)}
.pair{display:grid;grid-template-columns:1.2fr 1fr;gap:0 3rem}
table{border-collapse:collapse;width:100%;font-size:.95rem}
th,td{text-align:left;vertical-align:top;padding:.45rem .75rem .45rem 0;border-top:1px solid var(--line);font-weight:400}
thead th{border-top:0;color:var(--quiet);font-size:.85rem}
tbody th{font-weight:600}
th .quiet,td>.quiet{display:block;font-weight:400;font-size:.88rem}
.risk td .quiet,.reasons .quiet{display:inline}
.points{font-variant-numeric:tabular-nums;white-space:nowrap;width:3.5rem;font-weight:600}
.sum td{border-top:2px solid var(--ink)}
.risk tbody th{text-transform:capitalize}
.reasons a,.clauses a{white-space:nowrap}
.risk td{white-space:nowrap}.todo td:nth-child(2){overflow-wrap:anywhere}.todo td:last-child{white-space:nowrap;padding-right:0}.more{display:block}.maps ul,.clauses td{overflow-wrap:anywhere}
.bar{display:inline-block;width:4.5rem;height:.5rem;border-radius:.25rem;background:var(--line);margin-right:.5rem;overflow:hidden;vertical-align:middle}
.bar i{display:block;height:100%;background:var(--high);border-radius:.25rem}.bar.calm i{background:var(--good)}
.scroll{overflow-x:auto}
.filters{display:flex;flex-wrap:wrap;gap:.5rem 1.25rem;align-items:center;margin-bottom:1rem;font-size:.92rem;color:var(--quiet)}
select{font:inherit;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.2rem .5rem}
.finding{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--tone);border-radius:.6rem;padding:1.1rem 1.25rem;margin-bottom:1rem;break-inside:avoid}
.finding[hidden]{display:none}
.finding.critical,.badge.critical{--tone:var(--critical)}.finding.high,.badge.high{--tone:var(--high)}
.finding.medium,.badge.medium{--tone:var(--medium)}.finding.low,.badge.low{--tone:var(--low)}.finding.info,.badge.info{--tone:var(--info)}
.meta{display:flex;flex-wrap:wrap;gap:.2rem .9rem;font-size:.88rem;color:var(--quiet)}
.badge{color:var(--tone);font-weight:650}
.why{max-width:46rem}
.occurrence{margin-top:.8rem;padding-top:.8rem;border-top:1px solid var(--line)}
.occurrence p{overflow-wrap:anywhere}
pre{margin:.5rem 0;padding:.6rem .8rem;background:var(--paper);border:1px solid var(--line);border-radius:.4rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
code{font:.86rem/1.5 var(--mono)}
.undo{font-size:.88rem;color:var(--quiet);overflow-wrap:anywhere}.undo span{font-weight:600}
.advice{font-size:.95rem}
.finding footer{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;justify-content:space-between;margin-top:.8rem;font-size:.88rem;color:var(--quiet)}
.vector{color:var(--quiet);font:.8rem/1.6 var(--mono);overflow-wrap:anywhere}
details summary{cursor:pointer}
#compliance details{border-top:1px solid var(--line);padding:.6rem 0}
.maps ul{margin:.4rem 0;padding-left:1.1rem}
ul{padding-left:1.2rem}li{margin:.3rem 0}
.unseen li{overflow-wrap:anywhere}
.escalations{margin:.3rem 0;color:var(--high);font-size:.9rem}
.bad th{color:var(--high)}
.page{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--line);font-size:.88rem}
@media(max-width:44rem){main{padding:1.5rem 1rem 3rem}.verdict{gap:1rem;align-items:flex-start}.letter{width:4.25rem;height:4.25rem;font-size:2.4rem;border-radius:1rem}
h1{font-size:1.25rem}.bar{width:2.75rem}.pair{grid-template-columns:1fr}.finding{padding:.9rem 1rem}}
@media print{:root{color-scheme:light}body{background:#fff;font-size:9.5pt}main{max-width:none;padding:0}section{margin-top:1.5rem}nav,.filters,.maps summary{display:none}.pair{grid-template-columns:1fr}.clauses,.todo{font-size:8.5pt}.clauses th,.clauses td,.todo td{padding:.15rem .6rem .15rem 0}.finding{break-inside:auto;padding:.6rem .8rem}.verdict,.finding header,.occurrence,tr{break-inside:avoid}h2,h3{break-after:avoid}.letter{print-color-adjust:exact;-webkit-print-color-adjust:exact}details{display:block}}
`;

export const htmlScript = `{
const form=document.querySelector('.filters');
if(form){const all=[...document.querySelectorAll('.finding')];
const apply=()=>{const d=new FormData(form);let n=0;for(const f of all){const on=(!d.get('severity')||f.dataset.severity===d.get('severity'))&&(!d.get('area')||f.dataset.area===d.get('area'));f.hidden=!on;if(on)n++}
form.querySelector('output').textContent=n===all.length?'':n+' of '+all.length+' shown'};form.addEventListener('change',apply)}
addEventListener('beforeprint',()=>{for(const d of document.querySelectorAll('details'))d.open=true});
}`;
