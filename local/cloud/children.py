"""Child processes: starts them, waits until they are ready, and always ends them."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Self, TypeVar

from local import ending
from local.host.lifetime import LEASH

T = TypeVar("T")

_TETHER = Path(__file__).with_name("tether.py")
# A bound against hangs: a host gives running functions ten seconds to end, Azurite stores what it
# has, and on a busy machine either may take longer.
_STOP_SECONDS = 120.0
# Before it is ready, Azurite ignores signals.
_STOP_UNREADY_SECONDS = 15.0


class ChildDied(RuntimeError):
    """A child ended, or hung, before it was ready; the text includes the end of its log."""


class Child:
    """
    A process whose output goes to a log file.

    On Linux the kernel kills it when the thread that started it ends, so start children from a
    thread that lives long enough, usually the main thread. The child's own children may outlive
    it, but not `stop` or this process: they watch the leash.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stops_at: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        self.ended = threading.Event()
        self._stops_at = stops_at
        self._was_ready = False
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._unlogged: OSError | None = None
        self._log_file = log.open("ab", buffering=0)
        held, self._leash = os.pipe()
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            tethered(command),
            stdin=held,
            stdout=subprocess.PIPE,
            stderr=self._log_file,
            env={**(os.environ if environ is None else environ), LEASH: "stdin"},
            cwd=cwd,
            **ending.apart(),
        )
        os.close(held)
        assert self.process.stdout is not None
        self._reader = threading.Thread(
            target=self._read, args=(self.process.stdout,), name=f"{name}-output", daemon=True
        )
        self._reader.start()

    def _read(self, output: IO[bytes]) -> None:
        for line in output:
            self._keep(line)
            self._lines.put(line.decode("utf-8", "replace").rstrip())
        self._lines.put(None)
        self.ended.set()

    def _keep(self, line: bytes) -> None:
        try:
            self._log_file.write(line)
        except OSError as error:
            # A child without a log cannot be diagnosed: kill it, and report why.
            self._unlogged = error
            self.process.kill()

    def wait_for(self, wanted: Callable[[str], T | None], seconds: float = 60) -> T:
        """Return the result of *wanted* for the first line of stdout that it recognises."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise ChildDied(self._failure(f"was not ready in {seconds:.0f} s")) from None
            if line is None:
                code = self.process.wait()
                raise ChildDied(self._failure(f"ended with code {code} before it was ready"))
            found = wanted(line)
            if found is not None:
                self._was_ready = True
                return found

    def _failure(self, what: str) -> str:
        if self._unlogged:
            return (
                f"{self.name} was stopped: its log {self.log} cannot be written, {self._unlogged}."
            )
        lines = self.log.read_text("utf-8", "replace").splitlines()[-20:]
        return "\n".join([f"{self.name} {what}; the end of {self.log}:", *lines])

    def stop(self) -> None:
        """Ask it to end, kill it after a while, and return when it is gone."""
        ending.ask(self.process, self._stops_at)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOP_SECONDS if self._was_ready else _STOP_UNREADY_SECONDS)
        self.kill()
        self.let_go()

    def kill(self) -> None:
        """Kill it at once, as a crash would; its own children may continue."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log_file.close()

    def let_go(self) -> None:
        """End its own children, too."""
        if self._leash >= 0:
            os.close(self._leash)
            self._leash = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def tethered(command: Sequence[str]) -> list[str]:
    """*command* wrapped so that the kernel ends it with this process, if it can."""
    if sys.platform == "win32":
        return list(command)
    # -I -S: nothing but the standard library, so that this costs a few milliseconds.
    return [sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), *command]
