"""The style sheet of a page: light and dark, wide and narrow, screen and paper. Chart colours: Okabe and Ito 2008.

Text has a contrast of 4.5 or more against what it stands on, in either mode.
"""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--paper:#fff;--card:#f4f6f8;--ink:#1a1e24;--quiet:#59626f;--line:#d7dce3;
--rate:#0072b2;--wanted:#009e73;--dial:#d55e00;--belief:#9c4f80;--loss:#b2182b;--good:#00664a;--good-back:#d8f3ea;
--off:#8f3a00;--off-back:#fde6d6;--open:#00507e;--open-back:#dcedfa;--part0:#e69f00;--part1:#56b4e9;--part2:#009e73;
--part3:#f0e442;--part4:#d55e00;--part5:#cc79a7;--part6:#999;--on-part:#000;--line0:#0072b2;--line1:#c25500;
--line2:#00805d;--line3:#9c4f80;--line4:#4d4d4d;--line5:#2f8fc4;--line6:#8a6d00;
--heat0:#eaf3fa;--heat1:#cfe3f2;--heat2:#aacde7;--heat3:#7db3da;--heat4:#559cce;--heat5:#1c689f;--heat6:#0b4573;
--on-heat:#12161b;--on-dark-heat:#fff}
@media (prefers-color-scheme:dark){:root{--paper:#14171c;--card:#1d2128;--ink:#e7eaee;--quiet:#a3acb8;--line:#353b45;
--rate:#56b4e9;--wanted:#2cc197;--dial:#f0a030;--belief:#e29cc6;--loss:#ff7a6b;--good:#7fe3c3;--good-back:#0d3b2e;
--off:#ffb98a;--off-back:#4a2408;--open:#a5d8fa;--open-back:#0f3550;--line0:#56b4e9;--line1:#f0a030;--line2:#2cc197;
--line3:#e29cc6;--line4:#cfd4da;--line5:#7d9bff;--line6:#f0e442;
--heat0:#1a2430;--heat1:#1d3347;--heat2:#214562;--heat3:#275a80;--heat4:#35719d;--heat5:#72b4df;--heat6:#c3e4fa;
--on-heat:#f2f5f8;--on-dark-heat:#0c0f13}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans","DejaVu Sans",sans-serif;overflow-wrap:break-word}
main{max-width:1160px;margin:0 auto;padding:28px 24px 72px}
h1{font-size:1.75rem;line-height:1.2;margin:.25em 0}
h2{font-size:1.2rem;line-height:1.3;margin:2em 0 .4em;padding-top:.8em;border-top:1px solid var(--line)}
p{margin:.5em 0;max-width:52em}
.subtitle,.note{color:var(--quiet)}
.note,.legend{font-size:.9rem;max-width:64em}
.badges{margin:0}
.badge{display:inline-block;padding:.1em .7em;border:1px solid var(--off);border-radius:1em;color:var(--off);
font-size:.8rem;font-weight:600}
.verdict{background:var(--card);border-radius:10px;padding:16px 22px;margin-top:20px}
.headline{font-size:1.3rem;font-weight:650;line-height:1.35}
.caution{font-size:.9rem;color:var(--quiet)}
code{overflow-wrap:anywhere}
.short{white-space:nowrap}
.wide{overflow-x:auto}
table{border-collapse:collapse;min-width:min(100%,36rem);margin:1em 0;font-size:.92rem}
.verdict table{width:100%}
th,td{padding:.45em 1.25em .45em 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
:is(th,td):last-child{padding-right:0}
table.pairs{min-width:0}
thead th{color:var(--quiet);font-weight:600;font-size:.82rem;line-height:1.35;vertical-align:bottom}
tbody th{font-weight:600}
td{font-variant-numeric:tabular-nums}
.heat{min-width:0;border-collapse:separate;border-spacing:2px;font-size:.8rem}
.heat :is(th,td){padding:.32em .45em;border:0;text-align:center;vertical-align:middle}
.heat thead th{font-weight:400;font-size:.75rem;vertical-align:bottom}
.heat :is(tbody th,thead td){position:sticky;left:0;min-width:8em;max-width:12em;padding-left:0;text-align:left;
background:var(--paper);overflow-wrap:break-word}
.heat td{border-radius:3px}
.heat .apart{border-left:14px solid var(--paper)}
.heat0,.heat1,.heat2,.heat3,.heat4{color:var(--on-heat)}
.heat5,.heat6{color:var(--on-dark-heat)}
.heat0{background:var(--heat0)}.heat1{background:var(--heat1)}.heat2{background:var(--heat2)}
.heat3{background:var(--heat3)}.heat4{background:var(--heat4)}.heat5{background:var(--heat5)}
.heat6{background:var(--heat6)}
small{color:var(--quiet);font-weight:400}
.state{display:inline-block;padding:0 .6em;border-radius:.6em;font-weight:600;white-space:nowrap}
.good{color:var(--good);background:var(--good-back)}
.off{color:var(--off);background:var(--off-back)}
.open{color:var(--open);background:var(--open-back)}
.checks{list-style:none;padding:0;margin:.8em 0;max-width:66em;font-size:.95rem}
.checks li{display:grid;grid-template-columns:6.2em 1fr;gap:.3em .9em;align-items:baseline;margin:.4em 0}
.checks .state{text-align:center;font-size:.85rem}
.strips{list-style:none;padding:0;margin:1em 0 .4em}
.strips li{display:grid;grid-template-columns:minmax(9em,13em) minmax(0,460px) 1fr;gap:.2em 1.6em;align-items:center;
padding:.5em 0;border-top:1px solid var(--line)}
.strips p{margin:0;line-height:1.45}
details{margin:.8em 0}
summary{cursor:pointer;color:var(--open);font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,320px),1fr));gap:22px 26px;margin:1em 0}
figure{margin:0;min-width:0}
figcaption{font-weight:600;margin-bottom:.15em}
.tools{display:flex;gap:.4em;align-items:baseline;margin:.2em 0 0;min-height:1.7em;font-size:.8rem;color:var(--quiet)}
.tools button{font:inherit;color:var(--quiet);background:none;border:1px solid var(--line);border-radius:4px;
padding:0 .5em;cursor:pointer}
.tools button:is(:hover,:focus-visible){color:var(--ink);border-color:var(--quiet)}
.tools output{color:var(--ink)}
.chart{display:block;width:100%;max-width:460px;height:auto}
.wider{grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr));gap:22px 60px}
.wider .chart{max-width:430px}
.chart+.chart{margin-top:8px}
.chart text{font-size:11.5px;fill:var(--ink)}
.chart .quiet{fill:var(--quiet)}
.chart .middle,.chart .on-part{text-anchor:middle}
.chart .end{text-anchor:end}
.chart .name{font-size:13px;font-weight:600}
.chart .on-part{fill:var(--on-part);font-size:12px}
.grid{stroke:var(--line);stroke-width:.8;fill:none}
.axis{stroke:var(--quiet);stroke-width:1;fill:none}
.line{stroke:currentColor;stroke-width:2;fill:none;stroke-linejoin:round}
.dash1{stroke-dasharray:7 3}.dash2{stroke-dasharray:2 3}.dash3{stroke-dasharray:9 3 2 3}.dash4{stroke-dasharray:4 4}
.dash5{stroke-dasharray:12 4}.dash6{stroke-dasharray:1 4}
.limit{stroke:var(--ink);stroke-width:1.3;stroke-dasharray:5 4;fill:none}
.tick{stroke:var(--wanted);stroke-width:2.2;fill:none}
.reach{stroke:currentColor;stroke-width:4;stroke-linecap:round;stroke-opacity:.45;fill:none}
.once-wanted{fill:none;stroke:var(--quiet);stroke-width:1.2;stroke-dasharray:3 3}
.way{stroke:currentColor;stroke-width:1.6;fill:none}
.hollow{fill:var(--card);stroke:currentColor;stroke-width:1.6}
.area{fill:currentColor;fill-opacity:.2}
.dot,.bar,.part,.cell{fill:currentColor}
.part{stroke:var(--paper);stroke-width:.6}
.spot{fill:currentColor;fill-opacity:0}
.spot:hover{fill-opacity:.5}
rect.wanted{fill:var(--wanted);fill-opacity:.2;stroke:var(--wanted);stroke-width:1;stroke-dasharray:4 3}
.ground{fill:var(--card)}
.legend{margin:.3em 0;color:var(--ink)}
.meaning{display:inline-block;margin-right:1.3em}
.key{display:inline-block;width:1.3em;height:.75em;border-radius:2px;margin-right:.4em}
.swatch{width:26px;height:10px;margin-right:.4em}
span.rate{background:var(--rate)}span.wanted{background:var(--wanted)}span.dial{background:var(--dial)}
span.belief{background:var(--belief)}span.loss{background:var(--loss)}span.part0{background:var(--part0)}
span.part1{background:var(--part1)}span.part2{background:var(--part2)}span.part3{background:var(--part3)}
span.part4{background:var(--part4)}span.part5{background:var(--part5)}span.part6{background:var(--part6)}
code{font:.88em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--card);padding:.1em .35em;
border-radius:4px}
@media (max-width:720px){
main{padding:16px 14px 48px}
h1{font-size:1.5rem}
.verdict{padding:12px 14px;margin-left:-4px;margin-right:-4px}
table:not(.pairs,.heat) thead{display:none}
table:not(.pairs,.heat),table:not(.pairs,.heat) :is(tbody,tr,th,td){display:block}
table:not(.pairs,.heat) tr{border:1px solid var(--line);border-radius:8px;padding:6px 10px;margin:8px 0}
table:not(.pairs,.heat) :is(th,td){border:0;padding:.12em 0}
table:not(.pairs,.heat) td{display:flex;justify-content:space-between;gap:1em;text-align:right}
table:not(.pairs,.heat) td::before{content:attr(data-label);color:var(--quiet);font-size:.86rem;text-align:left;
flex:0 0 auto;max-width:60%}
table:not(.pairs,.heat) td.none{display:none}
.checks li{grid-template-columns:1fr}
.checks .state{justify-self:start}
.strips li{grid-template-columns:1fr}
.chart{max-width:none}
}
@media print{
:root{--paper:#fff;--card:#fff;--ink:#000;--quiet:#555;--line:#bbb;--rate:#0072b2;--wanted:#009e73;--dial:#d55e00;
--belief:#9c4f80;--loss:#b2182b;--good:#00664a;--off:#8f3a00;--open:#00507e;--good-back:#fff;--off-back:#fff;
--open-back:#fff;--line0:#0072b2;--line1:#c25500;--line2:#00805d;--line3:#9c4f80;--line4:#4d4d4d;--line5:#2f8fc4;
--line6:#8a6d00;
--heat0:#eaf3fa;--heat1:#cfe3f2;--heat2:#aacde7;--heat3:#7db3da;--heat4:#559cce;--heat5:#1c689f;--heat6:#0b4573;
--on-heat:#12161b;--on-dark-heat:#fff}
.tools{display:none}
body{font-size:10pt}
main{max-width:none;padding:0}
.verdict{border:1px solid #bbb}
.charts{grid-template-columns:repeat(3,1fr);gap:12px}
.wider{grid-template-columns:repeat(2,1fr)}
figure,tr,.verdict,.checks li{break-inside:avoid}
h2,.note,figcaption{break-after:avoid}
.wide{overflow:visible}
details::details-content{content-visibility:visible;block-size:auto}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
"""
