# SPDX-License-Identifier: Apache-2.0
"""What the runs gave, put together: medians, ratios to varve, and whether all did the same."""

import statistics

import plan


class Results:
    """Collects what the programs printed, and how large their files were."""

    def __init__(self):
        self._figures = {}  # run -> metric -> one figure a repetition
        self._facts = {}    # run -> version, survival
        self._sizes = {}    # run -> bytes of files for each record
        self._checksums = {}  # bytes of a value, values -> checksum -> labels

    def add(self, run, lines, file_bytes):
        """Takes the JSON lines of one run, and the bytes on disk that it left."""
        for line in lines:
            self._facts[run] = {"version": line["version"], "survives": line["survives"]}
            figures = self._figures.setdefault(run, {})
            if "us" in line:
                for metric, value in line["us"].items():
                    figures.setdefault(metric, []).append(value)
                continue
            figures.setdefault(line["work"], []).append(line["records"] / line["seconds"])
            self._sizes.setdefault(run, []).append(file_bytes / line["appended"])
            same = self._checksums.setdefault((line["record"], line["appended"]), {})
            same.setdefault(line["checksum"], set()).add(run.variant.label)

    def disagreements(self):
        """Sentences: who appended as many values as another, and read other bytes."""
        return [f"{count:,} values of {record} B have different checksums: "
                + "; ".join(f"{checksum} {', '.join(sorted(labels))}"
                            for checksum, labels in sorted(same.items()))
                for (record, count), same in sorted(self._checksums.items()) if len(same) > 1]

    def _row(self, work, peer, variant):
        """What the table says of a peer, or None if it has no figure for the work."""
        run = plan.run_for(work, peer, variant)
        figures = self._figures.get(run, {})
        if not all(figures.get(metric) for metric in work.metrics):
            return None
        row = {"peer": variant.label, "is_reference": variant.is_reference,
               **self._facts[run], "metrics": {}}
        for metric in work.metrics:
            values = figures[metric]
            row["metrics"][metric] = {
                "median": statistics.median(values), "low": min(values), "high": max(values),
                "runs": values}
        # Few values are synced; what they take is mostly what a file begins with.
        if run in self._sizes and work.mode != plan.SYNCED:
            row["bytes_per_record"] = statistics.median(self._sizes[run])
        return row

    def table(self, work, peers=plan.PEERS):
        """One work with its rows, the best first; None if nobody did it."""
        rows = [row for peer, variant in plan.rows_of(work, peers)
                if (row := self._row(work, peer, variant))]
        if not rows:
            return None
        reference = next((row for row in rows if row["is_reference"]), None)
        for row in rows:
            for metric, figures in row["metrics"].items():
                base = reference and reference["metrics"][metric]["median"]
                figures["to_varve"] = figures["median"] / base if base else None
        first = work.metrics[0]
        rows.sort(key=lambda row: row["metrics"][first]["median"], reverse=work.more_is_better)
        return {"name": work.name, "title": work.title, "unit": work.unit,
                "more_is_better": work.more_is_better, "metrics": list(work.metrics),
                "rows": rows}

    def tables(self, chosen, peers=plan.PEERS):
        """All works that somebody did."""
        return [table for work in chosen if (table := self.table(work, peers))]
