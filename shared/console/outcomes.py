"""How the work ended that an order began: a sweep, an audit or an uninstall, by its own record."""

from __future__ import annotations

from dataclasses import replace

from shared import moments
from shared.auditing.audit_log import AuditLog, AuditLogs
from shared.orders.order import AUDIT, BEGUN, REPAIR, SWEEP, UNINSTALL, Entry
from shared.storage.documents import Documents
from shared.sweeping.sweep_log import SweepLog, SweepLogs
from shared.uninstalling.uninstall_log import UninstallLog, UninstallLogs


class Outcomes:
    """For one answer: each record is read once. Errors: ServiceDown, AccessDenied."""

    def __init__(self, documents: Documents) -> None:
        self._sweeps = SweepLogs(documents)
        self._audits = AuditLogs(documents)
        self._uninstalls = UninstallLogs(documents)
        self._read: dict[tuple[str, str], SweepLog | AuditLog | UninstallLog | None] = {}

    def of(self, entry: Entry) -> Entry:
        """
        *entry* with the end of the work that it began.

        Unchanged if it began none, or that has not ended, or its record no longer exists.
        """
        if entry.result != BEGUN:
            return entry
        work = self._work(entry.order.kind, entry.detail)
        if work is None or not work.finished_at:
            return entry
        try:
            ended_at = moments.read(work.finished_at)
        except (ValueError, OverflowError):
            # Somebody may have edited it by hand.
            return entry
        detail = f"{work.id}: {work.detail}" if work.detail else work.id
        return replace(entry, result=work.status, detail=detail, ended_at=ended_at)

    def _work(self, kind: str, id_: str) -> SweepLog | AuditLog | UninstallLog | None:
        key = kind, id_
        if key not in self._read:
            self._read[key] = self._find(kind, id_)
        return self._read[key]

    def _find(self, kind: str, id_: str) -> SweepLog | AuditLog | UninstallLog | None:
        if kind == UNINSTALL:
            latest = self._uninstalls.read().log
            return latest if latest and latest.id == id_ else None
        if kind in {AUDIT, REPAIR}:
            audit = self._audits.read(id_)
            return audit[0] if audit else None
        sweep = self._sweeps.read(id_) if kind == SWEEP else None
        return sweep[0] if sweep else None
