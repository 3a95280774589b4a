"""One report of the published ledger as a file: CSV for machines, a workbook for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bill_pipeline.exports.spreadsheets import guarded_row
from bill_pipeline.exports.xlsx import cell_of, fixed_workbook, new_sheet, saved_without_times


@dataclass(frozen=True)
class ReportFile:
    """A report's rows with what its head says; ``totals`` names the columns that are added up."""

    title: str
    client: str
    about: str
    warning: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    totals: tuple[str, ...]


def report_as_csv(report: ReportFile) -> str:
    """Columns as the published ledger names them, then the rows."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(report.columns)
    writer.writerows(guarded_row(row) for row in report.rows)
    return "\ufeff" + out.getvalue()  # the mark makes spreadsheets read it as UTF-8


def report_as_xlsx(report: ReportFile) -> bytes:
    """One sheet: title, client and days above, the rows, and their totals below."""
    from openpyxl.styles import Border, Font, Side
    from openpyxl.utils import get_column_letter

    workbook = fixed_workbook()
    sheet = new_sheet(workbook, report.title[:31])
    head = [line for line in (report.title, report.client, report.about, report.warning) if line]
    sheet.freeze_panes = f"A{len(head) + 3}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{len(head) + 2}:{len(head) + 2}"
    for index, name in enumerate(report.columns, 1):
        longest = max((len(str(row[index - 1])) for row in report.rows[:500]), default=0)
        sheet.column_dimensions[get_column_letter(index)].width = max(
            10, min(max(longest, len(name)) + 2, 48)
        )

    def bold(values: Sequence[Any], border: Border | None = None) -> list[Any]:
        cells = [cell_of(sheet, value) for value in values]
        for cell in cells:
            cell.font = Font(bold=True)
            if border:
                cell.border = border
        return cells

    for number, line in enumerate(head):
        sheet.append(bold([line]) if number == 0 else [line])
    sheet.append([])
    sheet.append(bold([name.replace("_", " ").capitalize() for name in report.columns]))
    for row in report.rows:
        sheet.append(row)
    if report.totals and report.rows:
        sums: list[Any] = [
            sum((row[index] or Decimal(0) for row in report.rows), Decimal(0))
            if name in report.totals
            else None
            for index, name in enumerate(report.columns)
        ]
        if sums[0] is None:
            sums[0] = "Total"
        sheet.append(bold(sums, Border(top=Side("thin"))))
    return saved_without_times(workbook)
