"""A Grafana dashboard drawn without Grafana: each panel by its own queries, at its own place, as one page with SVG."""

import html
import math

COLOURS = ["#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0", "#508642", "#cca300"]
STYLE = """
body { margin: 0; padding: 12px; background: #111217; color: #ccccdc; font: 13px/1.3 system-ui, sans-serif }
main { display: grid; grid-template-columns: repeat(24, 1fr); grid-auto-rows: 30px; gap: 8px }
h2 { margin: 0; align-self: center; font-size: 15px; font-weight: 500 }
section { display: flex; flex-direction: column; min-width: 0; padding: 6px 8px; background: #181b1f; border: 1px solid #24272d; border-radius: 3px; overflow: hidden }
h3 { margin: 0 0 4px; font-size: 13px; font-weight: 500; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
svg { flex: 1; min-height: 0; width: 100% } svg text { font: 11px system-ui, sans-serif; fill: #8e8f9e } .grid { stroke: #2a2d34 }
ul { display: flex; flex-wrap: wrap; gap: 0 12px; max-height: 29px; margin: 2px 0 0; padding: 0; list-style: none; font-size: 11px; overflow: hidden }
li::before { content: ""; display: inline-block; width: 12px; height: 3px; margin-right: 5px; vertical-align: middle; background: var(--tone) }
.stat { flex: 1; display: grid; place-items: center; font-size: 34px; font-weight: 500 } .none { flex: 1; display: grid; place-items: center; color: #8e8f9e }
"""
WIDTH, HEIGHT, LEFT, BOTTOM = 480, 190, 58, 18


def page(dashboard: dict, ask, span: tuple[float, float], rows: tuple[int, int] = (0, 10_000)) -> str:
    """`ask` gives the series of a query over `span`, as Prometheus's query_range does. `rows` are those of the grid that are drawn."""
    first, last = rows
    parts = []
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        if not first <= place["y"] < last:
            continue
        style = f"grid-column: {place['x'] + 1} / span {place['w']}; grid-row: {place['y'] - first + 1} / span {place['h']}"
        title = html.escape(panel["title"])
        if panel["type"] == "row":
            parts.append(f'<h2 style="{style}">{title}</h2>')
        else:
            parts.append(f'<section style="{style}"><h3>{title}</h3>{content(panel, ask, span)}</section>')
    return f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(dashboard['title'])}</title><style>{STYLE}</style><main>{''.join(parts)}</main></html>"


def content(panel: dict, ask, span: tuple[float, float]) -> str:
    series = [
        (legend(target.get("legendFormat", ""), found["metric"]), [(float(at), float(value)) for at, value in found["values"]])
        for target in panel["targets"] for found in ask(target["expr"])
    ]
    series = [(name, [point for point in points if math.isfinite(point[1])]) for name, points in series]
    series = [(name, points) for name, points in series if points]
    if not series:
        return '<div class="none">No data</div>'
    defaults = panel["fieldConfig"]["defaults"]
    if panel["type"] == "stat":
        value = series[0][1][-1][1]
        return f'<div class="stat" style="color: {tone(value, defaults["thresholds"]["steps"])}">{written(value, defaults["unit"])}</div>'
    return graph(series, defaults, span)


def legend(form: str, labels: dict) -> str:
    for name, value in labels.items():
        form = form.replace("{{" + name + "}}", value)
    return form.strip() or ", ".join(f"{name}={value}" for name, value in labels.items())


def tone(value: float, steps: list[dict]) -> str:
    return {"green": "#73bf69", "orange": "#ff9830", "red": "#f2495c"}[[step["color"] for step in steps if step["value"] is None or value >= step["value"]][-1]]


def graph(series: list, defaults: dict, span: tuple[float, float]) -> str:
    custom = defaults["custom"]
    if custom["stacking"]["mode"] == "normal":
        series = stacked(series)
    most = defaults.get("max") or nice(max(value for _, points, _ in normal(series) for _, value in points))
    def x(at):
        return LEFT + (at - span[0]) / (span[1] - span[0]) * (WIDTH - LEFT - 4)
    def y(value):
        return 6 + (HEIGHT - BOTTOM - 6) * (1 - value / most)
    drawn = []
    for part in range(5):
        level = most * part / 4
        drawn.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{y(level):.1f}" y2="{y(level):.1f}"/>'
                     f'<text x="{LEFT - 6}" y="{y(level) + 4:.1f}" text-anchor="end">{written(level, defaults["unit"])}</text>')
    minutes = [span[0] + (span[1] - span[0]) * part / 4 for part in range(4)]
    drawn += [f'<text x="{x(at):.1f}" y="{HEIGHT - 4}">{int(at - span[0]) // 60}:{int(at - span[0]) % 60:02}</text>' for at in minutes]
    for index, (_, points, floor) in enumerate(normal(series)):
        colour = COLOURS[index % len(COLOURS)]
        line = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in points)
        ground = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in reversed(floor))
        drawn.append(f'<polygon points="{line} {ground}" fill="{colour}" fill-opacity="{custom["fillOpacity"] / 100}"/>'
                     f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.2"/>')
    names = "".join(f'<li style="--tone: {COLOURS[index % len(COLOURS)]}">{html.escape(item[0])}' for index, item in enumerate(series))
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">{"".join(drawn)}</svg><ul>{names}</ul>'


def normal(series: list) -> list:
    """Each with the line below it: that of the one before where they are stacked, the axis elsewhere."""
    return [item if len(item) == 3 else (*item, [(item[1][0][0], 0), (item[1][-1][0], 0)]) for item in series]


def stacked(series: list) -> list:
    """One on the other; where one has no value it adds nothing."""
    times = sorted({at for _, points in series for at, _ in points})
    below, lifted = dict.fromkeys(times, 0.0), []
    for name, points in series:
        values = dict(points)
        above = {at: below[at] + values.get(at, 0) for at in times}
        lifted.append((name, list(above.items()), list(below.items())))
        below = above
    return lifted


def nice(most: float) -> float:
    """The next of 1, 2, 4 and 8 times a power of ten, which four parts divide well."""
    if most <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 2, 4, 8, 10) if step * power >= most)


def written(value: float, unit: str) -> str:
    if unit == "percentunit":
        return f"{value * 100:.3g}%"
    if unit == "s":
        return f"{value:.3g} s" if value >= 1 or value == 0 else f"{value * 1000:.3g} ms" if value >= 0.001 else f"{value * 1e6:.3g} µs"
    if unit == "bytes":
        return f"{value / 2**20:.4g} MiB"
    number = f"{value:.3g}" if abs(value) < 1000 else f"{value / 1000:.3g} K"
    return number + {"reqps": " req/s", "ops": " ops/s", "short": ""}[unit]
