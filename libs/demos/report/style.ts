/**
 * Blue, orange, green and red after Okabe and Ito (Color Universal Design, 2008), tuned per theme so that every pair stays
 * apart (CIELAB distance 15 and more) under simulated protanopia, deuteranopia and tritanopia; what is wrong differs in
 * shape as well. The ramp only rises in lightness, so that it also survives black-and-white print.
 */
const colors = `
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#16202c;--soft:#566270;--faint:#e3e7ec;--lane:#edf0f4;--edge:#d5dbe2;
--blue:#0058b0;--orange:#d08700;--green:#12a085;--bad:#b3261e;--bad-page:#fdefec;--good-page:#e9f6f1;--wait:#b3bcc7;--curve:#b9cfe4;
--ramp-0:#0d1040;--ramp-1:#5a22b8;--ramp-2:#b32c86;--ramp-3:#e4633f;--ramp-4:#e6a000;
--p0:#0058b0;--p1:#56b4e9;--p2:#d08700;--p3:#12a085;--p4:#a04080;--p5:#8a6d00;
--regime-0:#eaf1fa;--regime-1:#fbf4e4;--regime-2:#eaf6f0}
@media screen and (prefers-color-scheme:dark){:root{--page:#10151b;--card:#181f27;--ink:#e8edf2;--soft:#a3afbb;--faint:#2a333d;--lane:#222a33;--edge:#313b46;
--blue:#5a9cf0;--orange:#f5bd3c;--green:#4fdcc0;--bad:#f0654f;--bad-page:#331c1a;--good-page:#14301f;--wait:#5b6672;--curve:#35506b;
--ramp-0:#8a4fe0;--ramp-1:#cc66d8;--ramp-2:#f287a8;--ramp-3:#fbb27c;--ramp-4:#fff0a0;
--p0:#5a9cf0;--p1:#9bd4f5;--p2:#f5bd3c;--p3:#4fdcc0;--p4:#d67fb8;--p5:#d9c04a;
--regime-0:#1b2735;--regime-1:#2c2719;--regime-2:#182c25}}`

const page = `
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",sans-serif}
main{max-width:1120px;margin:0 auto;padding:28px 20px 56px}
h1{font-size:30px;line-height:1.2;margin:2px 0 16px;letter-spacing:-.01em}
h2{font-size:19px;line-height:1.3;margin:0 0 4px}
h3{font-size:15px;margin:0}
p{margin:0}
a{color:var(--blue)}
code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.9em;overflow-wrap:anywhere}
.brand{color:var(--blue);font-weight:650;letter-spacing:.08em;text-transform:uppercase;font-size:13px}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));gap:2px 28px;margin:0 0 20px;font-size:14px}
.facts div{display:flex;gap:12px;min-width:0}
.facts dt{color:var(--soft);flex:0 0 72px}
.facts dd{margin:0;min-width:0;overflow-wrap:anywhere}
.verdict{display:flex;gap:16px;align-items:center;border-radius:12px;padding:16px 20px;margin:0 0 16px;border:1px solid}
.verdict .sign{flex:none;width:38px;height:38px;border-radius:50%;color:var(--card);font-size:22px;line-height:38px;text-align:center}
.verdict .headline{font-size:18px;font-weight:650;line-height:1.35}
.verdict.good{background:var(--good-page);border-color:var(--green)}
.verdict.good .sign{background:var(--green)}
.verdict.bad{background:var(--bad-page);border-color:var(--bad)}
.verdict.bad .sign{background:var(--bad)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(136px,1fr));gap:10px;margin:0 0 16px}
.tile,section:not(.verdict,.tiles),figure{background:var(--card);border:1px solid var(--edge);border-radius:12px}
.tile{padding:12px 14px}
.tile-name,.tile-unit{color:var(--soft);font-size:13px}
.tile-value{font-size:19px;font-weight:650;line-height:1.3;white-space:nowrap;font-variant-numeric:tabular-nums}
section:not(.verdict,.tiles),figure{margin:0 0 16px;padding:20px}
figcaption,section>p{color:var(--soft);max-width:80ch;margin:0 0 12px}
section>h3{margin:20px 0 4px}
.empty{color:var(--soft);font-style:italic;margin:0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:6px 14px 6px 0;border-bottom:1px solid var(--faint);vertical-align:top}
th:last-child,td:last-child{padding-right:0}
thead th{color:var(--soft);font-weight:500;white-space:nowrap}
tbody th{font-weight:500;white-space:nowrap}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.source{color:var(--soft);min-width:180px}
.wrong-row th,.wrong-row .number{color:var(--bad);font-weight:650}
.failure{margin:12px 0 0}
.failure h3{font-weight:500;margin-bottom:6px}
.kind{background:var(--bad);color:var(--card);border-radius:6px;padding:1px 8px;font-weight:600;font-size:13px;margin-right:6px}
pre{background:var(--lane);border-radius:8px;padding:10px 12px;margin:0;max-height:220px;overflow:auto;white-space:pre-wrap}
.command{background:var(--lane);border-radius:6px;padding:3px 8px;color:var(--ink)}
.files{margin:8px 0 0;padding-left:20px}
.spent{display:flex;height:30px;border-radius:6px;overflow:hidden;margin:0 0 10px;background:var(--lane);gap:1px}
.spent>div{flex-basis:3px;min-width:3px}
.bar-name{font-size:13px;margin:0 0 3px}
.swatch{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:8px;vertical-align:-1px}
.phases{max-width:560px}
.phase-wait{background:repeating-linear-gradient(45deg,var(--wait) 0 4px,var(--lane) 4px 8px)}
.phase-0{background:var(--p0)}.phase-1{background:var(--p1)}.phase-2{background:var(--p2)}.phase-3{background:var(--p3)}.phase-4{background:var(--p4)}.phase-5{background:var(--p5)}`

const figures = `
svg{display:block;width:100%;height:auto;font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",sans-serif;fill:var(--ink)}
.narrow{display:none}
@media screen and (max-width:1010px){.tiles{grid-template-columns:repeat(4,1fr)}.tile:last-child:nth-child(odd){grid-column:span 2}}
@media screen and (max-width:720px){.wide{display:none}.narrow{display:block;max-width:540px;margin:0 auto}main{padding:18px 10px 40px}section:not(.verdict,.tiles),figure{padding:16px 12px}h1{font-size:25px}tbody th{white-space:normal;min-width:142px}.tiles{grid-template-columns:1fr 1fr}}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,290px),1fr));gap:14px 18px}
.panels.in-two{grid-template-columns:repeat(auto-fit,minmax(min(100%,290px),400px));justify-content:space-evenly}
.panel h3{margin-top:4px}
.error-of{font-size:13px;color:var(--soft);margin-bottom:2px;min-height:3em;font-variant-numeric:tabular-nums}
.error-of span{display:inline-block;margin-right:12px}
.error-of.right b{color:var(--green)}.error-of.wrong,.error-of.missing,.error-of.wrong b,.error-of.missing b{color:var(--bad)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;margin:0 0 8px;padding:0;font-size:13px}
.legend li{display:flex;align-items:center;gap:6px}
.legend svg{width:22px;height:12px;flex:none}
.tick{fill:var(--soft);font-variant-numeric:tabular-nums}
.name,.note{fill:var(--soft)}
.name{font-weight:600}
.grid{stroke:var(--faint)}
.axis{stroke:var(--soft)}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.exact{stroke:var(--curve);stroke-width:7}
.bound,.tolerance{stroke-dasharray:5 4;fill:none}
.bound{stroke:var(--soft)}
.tolerance{stroke:var(--bad);stroke-width:1.6}
.dot{fill-opacity:.75}
.dot.bryson-denham,.dot.brysonDenham{fill:var(--blue)}.dot.vanDerPol{fill:var(--orange)}.dot.rayleigh{fill:var(--green)}
.task.brysonDenham{fill:var(--blue)}.task.vanDerPol{fill:var(--orange)}.task.rayleigh{fill:var(--green)}.task.bad{fill:var(--bad)}
.wrong{fill:var(--bad);stroke:var(--card)}
.missing{stroke:var(--bad);stroke-width:2.4;fill:none;stroke-linecap:round}
.missing-band{fill:var(--bad-page)}
.flag{fill:var(--ink)}
.lane{fill:var(--lane)}
.regime-0{fill:var(--regime-0)}.regime-1{fill:var(--regime-1)}.regime-2{fill:var(--regime-2)}
.state-1{stroke:var(--blue)}.state-2{stroke:var(--orange)}.control{stroke:var(--green)}
.line.control{stroke-dasharray:6 3}.line.state-2{stroke-dasharray:none}
.ramp-0{stroke:var(--ramp-0)}.ramp-1{stroke:var(--ramp-1)}.ramp-2{stroke:var(--ramp-2)}.ramp-3{stroke:var(--ramp-3)}.ramp-4{stroke:var(--ramp-4)}
.thick{stroke-width:6;opacity:.45}.dashed{stroke-dasharray:6 4}
.ring{fill:none;stroke-width:1.8}.bar{fill-opacity:.55}.frame{fill:none;stroke-width:1.3;stroke-opacity:.85}
${[0, 1, 2, 3, 4, 5].map((k) => `.line.series-${k},.ring.series-${k},.frame.series-${k}{stroke:var(--p${k})}.dot.series-${k},.bar.series-${k},.task.series-${k}{fill:var(--p${k})}`).join('')}
.point.class-1{fill:#0b2c56;fill-opacity:1}.point.class-0{stroke:#7a3d00;fill:#fff}
.moment{stroke:var(--bad);stroke-width:1.6;stroke-dasharray:3 3}.moment-name{fill:var(--bad);font-weight:600}
.pixels{margin:0 auto}.pixels image{image-rendering:auto}
@media (hover:hover){.task:hover,.dot:hover{stroke:var(--ink);stroke-width:1.5}}`

const paper = `
@media print{body{background:none;font-size:11pt}main{max-width:none;padding:0}figure,section,.tile,tr{break-inside:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}pre{max-height:none}.scroll{overflow:visible}.panels{grid-template-columns:repeat(3,1fr)}.panels.in-two{grid-template-columns:repeat(2,1fr)}.tiles{grid-template-columns:repeat(7,1fr);gap:6px}.tile{padding:8px}.tile-value{font-size:15pt}.tile-name,.tile-unit{font-size:8pt}}`

/** The whole style sheet, in the file: a report is opened from a disk, an e-mail or an archive. */
export const reportStyle = colors + page + figures + paper
