"""The page's look, inline so that the report is one file."""

CSS = """
:root{--ink:#1d2433;--soft:#5b6577;--line:#e3e8f0;--paper:#fff;--ground:#f5f7fb;
--accent:#2457d6;--good:#12805c;--bad:#b3261e}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,header>div{max-width:1120px;margin:0 auto;padding:0 24px}
header{background:#162036;color:#fff;padding:36px 0 30px}
h1{margin:0 0 6px;font-size:30px}
header p{margin:0;color:#b9c4da;overflow-wrap:anywhere}
h2{margin:0 0 14px;font-size:20px}
section{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:22px 24px;margin:22px 0}
.figures,.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:14px;margin-top:22px}
.two{grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr));margin:0}
.figure{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:14px 18px}
.figure b{display:block;font-size:22px;overflow-wrap:anywhere}
.figure span,.note{color:var(--soft);font-size:13px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:7px 10px;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th{color:var(--soft);font-size:13px;font-weight:600}
th:first-child,td:first-child{text-align:left;white-space:normal}
tr.router td{background:#eef3ff;font-weight:600}
.badge{display:inline-block;padding:3px 12px;border-radius:999px;color:#fff;font-weight:600;font-size:14px}
.badge{white-space:nowrap}
.promoted,.passed{background:var(--good)}.refused,.failed{background:var(--bad)}
.not-enough-evidence{background:#8a5a00}
.sentence{font-size:19px;line-height:1.45;margin:0}
tr.wrap td{white-space:normal;text-align:left;vertical-align:top;overflow-wrap:anywhere}
.bars{margin:18px 0 10px}.bar{display:grid;grid-template-columns:minmax(90px,220px) 1fr 48px;gap:10px;
align-items:center;font-size:13px;overflow-wrap:anywhere}
.bar i{display:block;height:10px;border-radius:5px;background:var(--accent)}.bar b{text-align:right}
.none{color:var(--bad)}
.whatif input{position:absolute;opacity:0}.whatif .line{display:flex;flex-wrap:wrap;gap:4px;align-items:center;
margin:12px 0;font-size:13px;color:var(--soft)}
.whatif label{width:22px;height:22px;border-radius:50%;border:2px solid var(--accent);cursor:pointer}
.whatif .cards{display:block}
dt{font-weight:600}dd{margin:0 0 8px}
@media(max-width:600px){main,header>div{padding:0 12px}section{padding:16px 14px}th,td{padding:6px;font-size:13px}
tr.wrap{display:block;padding:8px 0}tr.wrap td{display:block;border:0;padding:3px 0}}
svg{max-width:100%;height:auto}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(320px,100%),1fr));gap:14px}
.card{border:1px solid var(--line);border-radius:10px;padding:14px 16px;overflow-wrap:anywhere}
.card h3{margin:0 0 4px;font-size:16px}
.key{display:inline-block;background:#eef1f7;border-radius:6px;padding:1px 8px;margin:2px 4px 2px 0;font-size:12px}
.card .id{color:var(--soft);font-weight:400;font-size:13px}
details{margin-top:14px}summary{cursor:pointer;color:var(--accent);margin-bottom:14px}
blockquote{margin:8px 0 0;padding-left:10px;border-left:3px solid var(--line);color:var(--soft);font-size:13px}
"""
