"""A report of tests or linters (JUnit XML, SARIF) into a session that can be read and searched, but has no gate."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from obra_tui.agents.transcripts import Said, Transcript
from obra_tui.core.events import CheckFinished
from obra_tui.core.model import CheckResult, CheckSpec, CheckStatus, FailedCase, SandboxLevel
from obra_tui.evidence.reports.junit import UnreadableReport, read_report
from obra_tui.evidence.reports.sarif import read_sarif
from obra_tui.services.importing.records import ImportedFile, ImportedRecords
from obra_tui.store.imports import imported

if TYPE_CHECKING:
    from obra_tui.core.ports import Journal

REPORTS = (".xml", ".sarif")


def import_report(journal: Journal, target: str | Path, path: Path) -> ImportedFile:
    """Import one report; the same content is imported once."""
    source = f"report:{path.absolute()}"
    try:
        content, at = path.read_bytes(), path.stat().st_mtime
        digest = hashlib.sha256(content).hexdigest()
        known = imported(target, source)
        if known is not None and known.state.get("digest") == digest:
            return ImportedFile(path=str(path), session=known.session, outcome="unchanged")
        result = _result(path, content)
    except UnreadableReport as error:
        return ImportedFile(path=str(path), outcome="failed", problem=str(error))
    except OSError as error:
        return ImportedFile(path=str(path), outcome="failed", problem=error.strerror or type(error).__name__)
    header = Transcript(title=f"{result.spec.name} report {path.name}", began=at, last=at)
    records = ImportedRecords(None, header, {"digest": digest, "offset": len(content)})
    events = records.whole([Said(at, CheckFinished(result=result))], source)
    journal.append(events)
    return ImportedFile(path=str(path), session=records.session, events=len(events))


def _result(path: Path, content: bytes) -> CheckResult:
    if path.suffix.lower() == ".sarif":
        name, failures = read_sarif(content)
        return _check(name, failures, passed=None, failed=len(failures), skipped=None)
    report = read_report(content)
    return _check("junit", report.failures, passed=report.passed, failed=report.failed, skipped=report.skipped)


def _check(
    name: str, failures: tuple[FailedCase, ...], *, passed: int | None, failed: int, skipped: int | None
) -> CheckResult:
    return CheckResult(
        spec=CheckSpec(name=name, run="imported"),
        status=CheckStatus.FAILED if failed else CheckStatus.PASSED,
        exit_code=None,
        duration_s=0.0,
        output="\n".join(_line(case) for case in failures),
        sandbox=SandboxLevel.NONE,
        passed=passed,
        failed=failed,
        skipped=skipped,
        failures=failures,
        detail="Imported: Obra did not run it.",
    )


def _line(case: FailedCase) -> str:
    place = case.file if case.line is None else f"{case.file}:{case.line}"
    return " ".join(part for part in (place, case.name, case.message) if part)
