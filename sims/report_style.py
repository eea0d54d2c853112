"""The style sheet of a report: light and dark, wide and narrow, screen and paper. Chart colours: Okabe and Ito 2008."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--paper:#fff;--card:#f5f6f8;--ink:#1b1f24;--quiet:#6b7280;--line:#d9dde3;
--rate:#0072b2;--wanted:#009e73;--dial:#d55e00;--good:#00664a;--good-back:#d8f3ea;--off:#8f3a00;--off-back:#fde6d6;
--open:#00507e;--open-back:#dcedfa;--part0:#e69f00;--part1:#56b4e9;--part2:#009e73;--part3:#f0e442;--part4:#d55e00;
--part5:#cc79a7;--part6:#999;--on-part:#000}
@media (prefers-color-scheme:dark){:root{--paper:#14171c;--card:#1d2128;--ink:#e7eaee;--quiet:#9aa3af;--line:#353b45;
--rate:#56b4e9;--wanted:#2cc197;--dial:#e69f00;--good:#7fe3c3;--good-back:#0d3b2e;--off:#ffb98a;--off-back:#4a2408;
--open:#a5d8fa;--open-back:#0f3550}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans","DejaVu Sans",sans-serif;overflow-wrap:break-word}
main{max-width:1080px;margin:0 auto;padding:24px 20px 64px}
h1{font-size:1.75rem;line-height:1.2;margin:.2em 0}
h2{font-size:1.2rem;margin:1.9em 0 .4em;padding-top:.7em;border-top:1px solid var(--line)}
p{margin:.5em 0;max-width:46em}
.subtitle,.note{color:var(--quiet)}
.note{font-size:.9rem}
.badges{margin:0}
.badge{display:inline-block;padding:.1em .7em;border:1px solid var(--off);border-radius:1em;color:var(--off);
font-size:.8rem;font-weight:600}
.verdict{background:var(--card);border-radius:10px;padding:16px 20px;margin-top:20px}
.headline{font-size:1.3rem;font-weight:650;line-height:1.35}
.caution{font-size:.9rem;color:var(--quiet)}
code{overflow-wrap:anywhere}
.short{white-space:nowrap}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:1em 0;font-size:.92rem}
th,td{padding:.45em .8em .45em 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
table.pairs{width:auto}
thead th{color:var(--quiet);font-weight:600;font-size:.82rem;vertical-align:bottom}
tbody th{font-weight:600}
td{font-variant-numeric:tabular-nums}
.state{display:inline-block;padding:0 .6em;border-radius:.6em;font-weight:600;white-space:nowrap}
.good{color:var(--good);background:var(--good-back)}
.off{color:var(--off);background:var(--off-back)}
.open{color:var(--open);background:var(--open-back)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,320px),1fr));gap:18px}
figure{margin:0}
figcaption{font-weight:600}
svg{width:100%;height:auto;max-width:480px;display:block}
.bars svg{max-width:520px}
svg *{stroke-linejoin:round;stroke-linecap:butt}
.key{display:inline-block;width:1.4em;height:.7em;border-radius:2px;margin-right:.35em}
.rate{background:var(--rate)}.wanted{background:var(--wanted)}.dial{background:var(--dial)}
code{font:.88em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--card);padding:.1em .35em;
border-radius:4px}
@media (max-width:720px){
main{padding:16px 14px 48px}
.verdict{padding:12px 14px;margin-left:-4px;margin-right:-4px}
thead{display:none}
table:not(.pairs),table:not(.pairs) :is(tbody,tr,th,td){display:block}
table:not(.pairs) tr{border:1px solid var(--line);border-radius:8px;padding:6px 10px;margin:8px 0}
table:not(.pairs) :is(th,td){border:0;padding:.12em 0}
table:not(.pairs) td{display:flex;justify-content:space-between;gap:1em;text-align:right}
table:not(.pairs) td::before{content:attr(data-label);color:var(--quiet);font-size:.86rem;text-align:left;
flex:0 0 auto;max-width:48%}
}
@media print{
:root{--paper:#fff;--card:#fff;--ink:#000;--quiet:#777;--line:#bbb;--rate:#0072b2;--wanted:#009e73;--dial:#d55e00;
--good:#00664a;--off:#8f3a00;--open:#00507e;--good-back:#fff;--off-back:#fff;--open-back:#fff}
body{font-size:10.5pt}
main{max-width:none;padding:0}
.verdict{border:1px solid #bbb}
.charts{grid-template-columns:repeat(2,1fr)}
figure,tr,.verdict{break-inside:avoid}
h2,.note{break-after:avoid}
.wide{overflow:visible}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
"""
