"""The status page.

Numbers alone: it asks for no password, so it names nobody and nothing.
"""

from __future__ import annotations

from datetime import datetime

from queue_store.overview import Overview


def page(overview: Overview, now: datetime) -> str:
    """The status page."""
    rows = "\n".join(
        f'<tr><td>{name.replace("_", " ")}</td><td class="n">{count}</td></tr>'
        for name, count in overview.counts.items()
    )
    return _PAGE.format(
        rows=rows,
        tasks=overview.open_tasks,
        web_connector=_ago(overview.last_web_connector_call, now),
        webhook=_ago(overview.last_webhook, now),
        now=f"{now:%Y-%m-%d %H:%M:%S} UTC",
    )


def _ago(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "never"
    seconds = max(int((now - moment).total_seconds()), 0)
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            number = seconds // size
            return f"{number} {unit}{'' if number == 1 else 's'} ago ({moment:%Y-%m-%d %H:%M} UTC)"
    return f"{seconds} seconds ago"


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="10">
<title>qbwoo: status</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 36rem; margin: 2rem auto; padding: 0 1rem;
  color: #1d2327; background: #fff; }}
table {{ border-collapse: collapse; width: 100%; margin: 0 0 1.5rem; }}
caption {{ text-align: left; font-weight: 600; }}
td, th {{ border-bottom: 1px solid #d5d8dc; padding: .3rem .2rem; text-align: left; font-weight: 400; }}
.n {{ text-align: right; font-variant-numeric: tabular-nums; }}
footer {{ color: #50575e; font-size: .875rem; }}
@media (prefers-color-scheme: dark) {{ body {{ color: #e6e6e6; background: #16181b; }}
  td, th {{ border-color: #3c4043; }} footer {{ color: #a7aaad; }} }}
</style>
</head>
<body>
<main>
<h1>qbwoo</h1>
<table>
<caption>Activities</caption>
<tbody>
{rows}
</tbody>
</table>
<table>
<caption>Calls</caption>
<tbody>
<tr><th scope="row">Web Connector, last call</th><td>{web_connector}</td></tr>
<tr><th scope="row">Shop, last webhook</th><td>{webhook}</td></tr>
<tr><th scope="row">Tasks for a person</th><td>{tasks}</td></tr>
</tbody>
</table>
</main>
<footer>As of {now}. For names and details: <code>qbwoo activity list</code></footer>
</body>
</html>
"""
