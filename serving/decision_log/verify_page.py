"""The report of a verification as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from features.runtime.text import escape_path
from serving.decision_log.verify import ChainReport, LogReport


def verify_page(report: LogReport) -> RenderableType:
    """Return the report in a form that a rich console prints."""
    return Group(_chains(report), *_lines(report), _verdict(report))


def _chains(report: LogReport) -> Table:
    title = f"{escape_path(report.directory)}: hours are UTC"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("chain")
    for name in ("files", "rows", "not logged"):
        table.add_column(name, justify="right")
    for name in ("from", "to", "ends with file", "SHA-256 of that file"):
        table.add_column(name)
    for chain in report.chains:
        table.add_row(
            chain.chain,
            f"{chain.files:,}",
            f"{chain.rows:,}",
            f"{chain.not_logged:,}" if chain.not_logged else "-",
            chain.first_hour,
            chain.last_hour,
            str(chain.end.number),
            chain.end.sha256 if chain.end.number else "",
        )
    return table


def _lines(report: LogReport) -> Iterator[Text]:
    for chain in report.chains:
        yield from _chain_lines(chain)


def _chain_lines(chain: ChainReport) -> Iterator[Text]:
    if chain.begins_after:
        text = f"files up to {chain.begins_after} were deleted for their age"
        yield Text(f"{chain.chain}: {text}", style="dim")
    for remark in chain.remarks:
        yield Text(f"{chain.chain}: {remark}", style="dim")
    for fault in chain.faults:
        yield Text.assemble((f"{chain.chain}: ", "bold"), (fault, "red"))
    if chain.more_faults:
        yield Text(f"{chain.chain}: and {chain.more_faults:,} more", style="red")


def _verdict(report: LogReport) -> Text:
    if report.fault_count:
        plural = "" if report.fault_count == 1 else "s"
        return Text(f"{report.fault_count:,} fault{plural} found.", style="bold red")
    return Text(
        "Each file continues the one before it. Note the last column elsewhere: who may write "
        "here could make the whole chain anew.",
        style="bold green",
    )
