# SPDX-License-Identifier: Apache-2.0
"""The report as text that a person can read: a table for each work."""

_SIGNIFICANT = 3


def figure(value, unit):
    """A figure with three digits: `5.12 M` records/s, `0.183` µs."""
    if unit != "records/s":
        return _digits(value)
    for factor, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= factor * 0.9995:
            return _digits(value / factor) + name
    return _digits(value)


def _digits(value):
    if value <= 0:
        return "0"
    if value < 0.9995:
        return f"{value:.{_SIGNIFICANT}f}"
    decimals = max(_SIGNIFICANT - len(str(int(value))), 0)
    text = f"{value:.{decimals}f}"
    # 9.996 has become 10.00.
    return f"{value:.{decimals - 1}f}" if decimals and len(text) > _SIGNIFICANT + 1 else text


def ratio(value):
    """`1.00`, `0.26`, `0.0031`, `34`."""
    if value is None:
        return "-"
    if value >= 10:
        return f"{value:.0f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def aligned(rows, right):
    """Lines of cells below each other; those of the columns in `right` end together."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [cell.rjust(width) if i in right else cell.ljust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        yield "  ".join(cells).rstrip()


def _heading(table):
    rates = table["unit"] == "records/s"
    head = ["", "records/s" if rates else f"{table['metrics'][0]} µs"]
    head += ["× varve", "lowest to highest"]
    for metric in table["metrics"][1:]:
        head += [f"{metric} µs", "× varve"]
    if any("bytes_per_record" in row for row in table["rows"]):
        head.append("B/record")
    return head + ["kill -9", "power loss"]


def _cells(table, row):
    unit = table["unit"]
    cells = [row["peer"]]
    for metric in table["metrics"]:
        figures = row["metrics"][metric]
        cells += [figure(figures["median"], unit), ratio(figures["to_varve"])]
        if metric == table["metrics"][0]:
            cells.append(f"{figure(figures['low'], unit)} to {figure(figures['high'], unit)}")
    if any("bytes_per_record" in other for other in table["rows"]):
        size = row.get("bytes_per_record")
        cells.append("-" if size is None else f"{size:.0f}")
    return cells + [row["survives"]["kill"], row["survives"]["power_loss"]]


def text_of_table(table):
    """The lines of one work."""
    head = _heading(table)
    rows = [head] + [_cells(table, row) for row in table["rows"]]
    right = set(range(1, len(head) - 2))
    better = "more is better" if table["more_is_better"] else "less is better"
    yield f"{table['title']} ({better})"
    for line in aligned(rows, right):
        yield "  " + line


def text_of_report(report):
    """The whole report: machine, what is left out, tables, what does not agree."""
    width = max((len(name) for name in report["machine"]), default=0)
    for name, value in report["machine"].items():
        yield f"{name.ljust(width)}  {value}"
    for sentence in report["left_out"]:
        yield f"Left out: {sentence}"
    yield ""
    yield (f"Medians of {report['repetitions']}. What survives is said of values whose append "
           "was acknowledged.")
    for table in report["tables"]:
        yield ""
        yield from text_of_table(table)
    for sentence in report["failures"]:
        yield ""
        yield f"FAILED: {sentence}"
