# SPDX-License-Identifier: Apache-2.0
"""The report as pictures: horizontal bars, an SVG for each work and metric. They have a
background of their own, light or dark as the reader likes it."""

import os
from xml.sax.saxutils import escape

import table as text

_WIDTH = 820
_LABELS = 290      # width of what is left of the bars
_FIGURES = 130     # of what is right of them
_TOP = 64
_ROW = 38
_BAR = 16

_STYLE = """
  svg { font-family: system-ui, sans-serif; font-size: 13px; }
  .page { fill: #ffffff; stroke: #d0d7de; }
  text { fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .small { fill: #59636e; font-size: 11px; }
  .bar { fill: #8c959f; }
  .varve { fill: #0969da; }
  .range { stroke: #1f2328; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #151b23; stroke: #3d444d; }
    text { fill: #f0f6fc; }
    .small { fill: #9198a1; }
    .bar { fill: #656c76; }
    .varve { fill: #4493f8; }
    .range { stroke: #f0f6fc; }
  }
"""


def _element(name, body=None, **attributes):
    said = "".join(f' {key.replace("_", "-")}="{escape(str(value), {chr(34): "&quot;"})}"'
                   for key, value in attributes.items())
    return f"<{name}{said}/>" if body is None else f"<{name}{said}>{body}</{name}>"


def _text(body, **attributes):
    return _element("text", escape(body), **attributes)


def _bar(row, figures, unit, top, scale):
    """One peer: label, what it survives, bar, lowest to highest, figure."""
    middle = top + _BAR / 2
    width = max(figures["median"] * scale, 1)
    survives = row["survives"]
    said = f"{text.figure(figures['median'], unit)} · {text.ratio(figures['to_varve'])} ×"
    high = _LABELS + figures["high"] * scale
    return [
        _text(row["peer"], x=_LABELS - 10, y=middle + 1, text_anchor="end"),
        _text(f"kill -9: {survives['kill']} · power loss: {survives['power_loss']}",
              **{"class": "small"}, x=_LABELS - 10, y=middle + 15, text_anchor="end"),
        _element("rect", **{"class": "bar varve" if row["peer"].startswith("varve") else "bar"},
                 x=_LABELS, y=top, width=f"{width:.1f}", height=_BAR),
        _element("line", **{"class": "range"}, x1=f"{_LABELS + figures['low'] * scale:.1f}",
                 x2=f"{high:.1f}", y1=middle, y2=middle),
        _text(said, x=f"{max(_LABELS + width, high) + 8:.1f}", y=middle + 5),
    ]


def svg_of(table, metric, repetitions):
    """The picture of one metric of a work."""
    unit = table["unit"]
    rows = sorted(table["rows"], key=lambda row: row["metrics"][metric]["median"],
                  reverse=table["more_is_better"])
    room = _WIDTH - _LABELS - _FIGURES
    scale = room / max(row["metrics"][metric]["high"] for row in rows)
    height = _TOP + _ROW * len(rows) + 12
    better = "more" if table["more_is_better"] else "less"
    what = unit if unit == "records/s" else f"{metric}, {unit}"
    body = [
        _element("title", escape(f"{table['title']}: {what}")),
        _element("style", _STYLE),
        _element("rect", **{"class": "page"}, x=0.5, y=0.5, width=_WIDTH - 1, height=height - 1,
                 rx=6),
        _text(table["title"], **{"class": "title"}, x=16, y=28),
        _text(f"{what}; {better} is better; medians of {repetitions}, lines from the lowest to "
              "the highest; × varve", **{"class": "small"}, x=16, y=46),
    ]
    for i, row in enumerate(rows):
        body += _bar(row, row["metrics"][metric], unit, _TOP + _ROW * i, scale)
    return _element("svg", "\n" + "\n".join(body) + "\n", xmlns="http://www.w3.org/2000/svg",
                    role="img", width=_WIDTH, height=height, viewBox=f"0 0 {_WIDTH} {height}")


def write_plots(report, directory):
    """Writes a file for each work and metric; returns their paths."""
    os.makedirs(directory, exist_ok=True)
    paths = []
    for table in report["tables"]:
        for metric in table["metrics"]:
            name = table["name"]
            if len(table["metrics"]) > 1:
                name += "_" + metric.replace(".", "_")
            path = os.path.join(directory, name + ".svg")
            with open(path, "w", encoding="utf-8") as file:
                file.write(svg_of(table, metric, report["repetitions"]) + "\n")
            paths.append(path)
    return paths
