# SPDX-License-Identifier: LGPL-2.1-or-later
"""One page of HTML about a run: no other file, no script, nothing from the network."""
import html
import math

from measures import METRICS

WIDTH, HEIGHT = 640, 180
UNITS = ('ms', 'mb', 'percent', 'seconds', 'characters')
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 14, 26
STYLE = """
:root { color-scheme: light dark; --ink: #1f2430; --soft: #667085; --line: #e4e7ec; --page: #f6f7f9; --card: #fff;
  --mark: #3366cc; --fill: #3366cc33; --good: #1a7f4b; --bad: #c0392b; --idle: #8a6d1c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ee; --soft: #98a2b3; --line: #2e3440; --page: #14171d;
  --card: #1c2028; --mark: #7aa2f7; --fill: #7aa2f733; --good: #57c98a; --bad: #ff7b6b; --idle: #e0b84c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, "Cantarell", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.05rem; margin: 0 0 .75rem; }
.verdict { display: inline-block; padding: .15rem .7rem; border-radius: 1rem; color: var(--card); font-weight: 600; }
.passed { background: var(--good); } .failed, .regressed { background: var(--bad); } .skipped { background: var(--idle); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.25rem; margin-top: 1rem;
  overflow-x: auto; }
.soft { color: var(--soft); } p { margin: .35rem 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: right; color: var(--soft); font-weight: 500; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
td { text-align: right; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; padding-left: 0; } tr:last-child td { border-bottom: 0; }
.yes { color: var(--good); } .no { color: var(--bad); } .not { color: var(--idle); }
ul { margin: .25rem 0; padding-left: 1.2rem; }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 11px; }
.axis { stroke: var(--line); } .line { fill: none; stroke: var(--mark); stroke-width: 2; stroke-linejoin: round; }
.area { fill: var(--fill); } .bar { fill: var(--mark); } .dot { fill: var(--mark); } .gate { stroke: var(--bad); stroke-dasharray: 5 4; }
.now { fill: var(--card); stroke: var(--mark); stroke-width: 2.5; }
"""


def number(value):
    """Three digits that count, without exponents."""
    if value == 0 or not math.isfinite(value):
        return '0' if value == 0 else str(value)
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f'{value:,.{min(digits, 6)}f}'.replace(',', '\u202f')


def label(metric):
    """The name without its unit, which stands elsewhere."""
    words = metric.split('_')
    return ' '.join(words[:-1] if words[-1] in UNITS else words)


def tick_text(value):
    return f'{value:,.10g}'.replace(',', '\u202f')


def scale(low, high):
    """A round range around the values, and its ticks."""
    if high <= low:
        low, high = low - (abs(low) or 1) * 0.1, high + (abs(high) or 1) * 0.1
    step = 10 ** math.floor(math.log10((high - low) / 3))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= 4)
    low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    return low, high, [low + i * step for i in range(round((high - low) / step) + 1)]


class Plot:
    """Axes in a drawing; points are given in units of the data."""

    def __init__(self, x, y):
        self.x, self.y = x, y
        self.parts = []
        self.low, self.high, ticks = scale(*y)
        for tick in ticks:
            at = self.at_y(tick)
            self.parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
                              f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{tick_text(tick)}</text>')

    def at_x(self, value):
        span = self.x[1] - self.x[0] or 1
        return LEFT + (value - self.x[0]) / span * (WIDTH - LEFT - RIGHT)

    def at_y(self, value):
        return HEIGHT - BOTTOM - (value - self.low) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)

    def add(self, part):
        self.parts.append(part)

    def foot(self, value, text, anchor='middle'):
        self.add(f'<text x="{self.at_x(value):.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{html.escape(text)}</text>')

    def svg(self, title):
        return (f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(title)}">'
                f'<title>{html.escape(title)}</title>{"".join(self.parts)}</svg>')


def points(plot, values):
    return ' '.join(f'{plot.at_x(x):.1f},{plot.at_y(y):.1f}' for x, y in values)


def trace(title, values):
    """A quantity over time."""
    plot = Plot((0, values[-1][0]), (0, max(y for _, y in values) or 1))
    floor = plot.at_y(plot.low)
    plot.add(f'<polygon class="area" points="{plot.at_x(values[0][0]):.1f},{floor:.1f} {points(plot, values)} '
             f'{plot.at_x(values[-1][0]):.1f},{floor:.1f}"/><polyline class="line" points="{points(plot, values)}"/>')
    plot.foot(0, '0 s', 'start')
    plot.foot(values[-1][0], f'{number(values[-1][0])} s', 'end')
    return plot.svg(title)


def histogram(metric, samples):
    """How often which value came; the slowest hundredth goes into the last bar."""
    ordered = sorted(samples)
    low, high = ordered[0], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    if high <= low:
        high = low + (abs(low) or 1) * 0.05
    n_bars = max(6, min(40, len(samples) // 3))
    counts = [0] * n_bars
    for value in samples:
        counts[min(n_bars - 1, int((value - low) / (high - low) * n_bars))] += 1
    plot = Plot((low, high), (0, max(counts)))
    width = (WIDTH - LEFT - RIGHT) / n_bars
    for i, count in enumerate(counts):
        top = plot.at_y(count)
        plot.add(f'<rect class="bar" x="{LEFT + i * width + 1:.1f}" y="{top:.1f}" width="{max(width - 2, 1):.1f}" '
                 f'height="{plot.at_y(0) - top:.1f}" rx="1.5"><title>{count}</title></rect>')
    unit = METRICS[metric][0]
    plot.foot(low, f'{number(low)} {unit}', 'start')
    plot.foot(high, f'{number(high)} {unit}' + (' and more' if ordered[-1] > high else ''), 'end')
    return plot.svg(f'{label(metric)}: how often which value came')


def course(metric, values, gate):
    """The medians of earlier runs and of this one."""
    reach = values + ([gate] if gate is not None else [])
    plot = Plot((0, max(len(values) - 1, 1)), (min(reach + [0]), max(reach)))
    if gate is not None:
        at = plot.at_y(gate)
        plot.add(f'<line class="gate" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
                 f'<text x="{WIDTH - RIGHT}" y="{at - 5:.1f}" text-anchor="end">gate {number(gate)}</text>')
    plot.add(f'<polyline class="line" points="{points(plot, list(enumerate(values)))}"/>')
    for i, value in enumerate(values):
        kind = 'now' if i == len(values) - 1 else 'dot'
        plot.add(f'<circle class="{kind}" cx="{plot.at_x(i):.1f}" cy="{plot.at_y(value):.1f}" r="{5 if kind == "now" else 3}">'
                 f'<title>{number(value)}</title></circle>')
    plot.foot(0, f'{len(values) - 1} runs ago', 'start')
    plot.foot(max(len(values) - 1, 1), 'now', 'end')
    return plot.svg(f'{label(metric)}: medians over time')


def card(title, body, note=''):
    soft = f'<p class="soft">{html.escape(note)}</p>' if note else ''
    return f'<section class="card"><h2>{html.escape(title)}</h2>{soft}{body}</section>'


def table(metrics):
    rows = []
    for metric, found in metrics.items():
        unit = METRICS[metric][0]
        cells = ''.join(f'<td>{number(found[key])}</td>' for key in ('p50', 'p90', 'p99', 'min', 'max'))
        rows.append(f'<tr><td>{label(metric)} <span class="soft">{unit}</span></td>{cells}<td class="soft">{found["n"]}</td></tr>')
    head = ''.join(f'<th>{name}</th>' for name in ('', 'median', '90 %', '99 %', 'least', 'most', 'samples'))
    return f'<table><tr>{head}</tr>{"".join(rows)}</table>'


def listing(result):
    """Gates, alerts and checks, each with its outcome, and what was left out."""
    lines = []
    for gate in result['gates']:
        bound = f'at least {number(gate["min"])}' if 'min' in gate else f'at most {number(gate["max"])}'
        lines.append((gate['holds'], f'gate “{gate["name"]}”: {label(gate["metric"])} ({gate["of"]}) is '
                      f'{number(gate["value"]) if gate["value"] is not None else "not known"}, wanted is {bound}'))
    for alert in result['regressions']:
        lines.append((False, f'{label(alert["metric"])} is {number(alert["now"])}; the last {alert["runs"]} runs had '
                      f'{number(alert["usual"])} ({alert["change"] * 100:+.0f} %)'))
    for check in result['checks']:
        more = f' ({check["more"]})' if check['more'] else ''
        lines.append((check['holds'], check['what'] + more))
    for part in result['left_out']:
        lines.append((None, f'left out: {part["what"]}: {part["why"]}'))
    marks = {True: ('yes', '✓'), False: ('no', '✗'), None: ('not', '–')}
    return ''.join(f'<p><span class="{marks[holds][0]}">{marks[holds][1]}</span> {html.escape(text)}</p>'
                   for holds, text in lines)


def page(result, samples, traces, past):
    """@past: metric -> medians of comparable runs, oldest first."""
    cards = []
    outcome = listing(result)
    if outcome:
        cards.append(card('What was asked', outcome))
    if result['metrics']:
        cards.append(card('Figures', table(result['metrics'])))
    for title, values in traces.items():
        if len(values) > 1:
            cards.append(card(title[0].upper() + title[1:], trace(title, values)))
    for metric, values in samples.items():
        if len(values) >= 8:
            cards.append(card(label(metric).capitalize(), histogram(metric, values), 'how often which value came'))
    gates = {}
    for gate in result['gates']:  # the strictest one of each metric
        bound, older = gate.get('min', gate.get('max')), gates.get(gate['metric'])
        gates[gate['metric']] = bound if older is None else (max if 'min' in gate else min)(bound, older)
    for metric, found in result['metrics'].items():
        medians = past.get(metric, []) + [found['p50']]
        if len(medians) > 1:
            cards.append(card(f'{label(metric).capitalize()} so far', course(metric, medians, gates.get(metric)),
                              'medians of comparable runs'))
    if result['notes']:
        cards.append(card('Notes', ''.join(f'<p>{html.escape(note)}</p>' for note in result['notes'])))
    quick = ', quick' if result['quick'] else ''
    peer = f', beside {result["peer"]}' if result['peer'] else ''
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f'<title>Woolly: {label(result["test"])}</title><style>{STYLE}</style></head><body><main>'
            f'<h1>{label(result["test"]).capitalize()} <span class="verdict {result["status"]}">{result["status"]}</span></h1>'
            f'<p>{html.escape(result["model"])} on {html.escape(result["machine"])}{html.escape(peer)}</p>'
            f'<p class="soft">{html.escape(result["time"].replace("T", " "))}{quick}, Woolly {html.escape(result["version"])}'
            f', device {html.escape(result["device"] or "none")}</p>{"".join(cards)}</main></body></html>\n')
