"""
Runs PhotoSync's commands on any machine, without make: `python run.py demo`.

Any Python starts it, and it looks for one that is new enough. The first command makes .venv and
installs there what requirements*.txt pin, which takes a minute or two; later ones find it made.

PYTHON   the Python that .venv is made with; without it 3.13, which runs in Azure, or the next best
VENV     another folder than .venv, such as .venv-3.12 to keep two Pythons apart

LOCAL_HOST_COMMAND=func has `start` and `e2e` run the app in Azure Functions Core Tools, and
CONTRACT_TENANT=FILE has `contract` ask a tenant, too; make calls them HOST and TENANT.
"""

# What Python 2.7 understands, so that an old one gives a sentence and no traceback.
import errno
import glob
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
OLDEST = (3, 11)
# All that are promised, the best first: 3.13 is what runs in Azure.
VERSIONS = ("3.13", "3.14", "3.12", "3.11")
NEEDED = "PhotoSync needs Python 3.11, 3.12, 3.13 or 3.14"

LINT = (
    "-m ruff check .",
    "-m ruff format --check .",
    "-m mypy",
    # What the types of Python's own library say that Windows lacks.
    "-m mypy --platform win32 --cache-dir .mypy_cache/win32",
    "-m tools.javascript",
)
QUICK = '-m pytest -q -n 2 --dist worksteal -m "not server and not long"'
# A file of tests shares what it has started, so it stays together. Three at a time, as many wait.
WHOLE = "-m pytest -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-fail-under=95"
# Keeps every version that still fits; --upgrade takes the newest, -P msal one of them.
LOCK = (
    "-m uv pip compile --quiet --universal --python-version 3.11"
    ' --custom-compile-command "make lock" --output-file requirements.txt requirements.in'
)
# Name, what it is, and what Python runs for it, one after the other. What a person adds goes to the
# last one.
COMMANDS = (
    ("demo", "the main job, from end to end", ("-m local demo",)),
    ("start", "the local cloud until Ctrl-C; --set DRY_RUN=true, --sign-in", ("-m local up",)),
    ("check", "style, types, and every test that needs no server", LINT + (QUICK,)),
    ("test", "everything that CI checks", LINT + (WHOLE,)),
    ("lint", "style and types only", LINT),
    # One after another, since a host that is not ours may download something when it first starts.
    ("e2e", "the tests from end to end", ("-m pytest tests/e2e",)),
    ("contract", "what a tenant must answer as the simulator does", ("-m pytest tests/contract",)),
    ("simulate", "a tenant's days, thousands; --seed 7 --days 500", ("-m tests.machine",)),
    ("soak", "changes under faults and crashes; --seed 7 --minutes 1", ("-m local soak",)),
    ("bench", "figures beside their goals; --only sweep", ("-m local bench",)),
    ("package", "the zip that is deployed", ("-m tools.package",)),
    ("licences", "of every package; fails on one that nobody agreed to", ("-m tools.licences",)),
    ("lock", "requirements.in -> requirements.txt; --upgrade", (LOCK,)),
    ("clean", "remove .venv, .local and what else was made", ()),
)
VERSION = "import sys; sys.stdout.write('%d.%d.%d' % sys.version_info[:3])"
PROBE = (
    "import sys, venv, ensurepip, ssl; sys.stdout.write("
    "'%d.%d.%d|' % sys.version_info[:3] + getattr(sys, '_base_executable', sys.executable))"
)


class Problem(Exception):
    """Why a command cannot run; one sentence that says what to do."""


def main(arguments):
    """Run the command that *arguments* name; its exit code."""
    os.chdir(ROOT)
    known = dict((name, steps) for name, _, steps in COMMANDS)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        sys.stdout.write(_help())
        return 0 if arguments else 2
    name, more = arguments[0], arguments[1:]
    if name not in known:
        raise Problem("There is no command %s: python run.py --help lists them." % name)
    if more and more[0] in ("-h", "--help"):
        sys.stdout.write(_help_of(name, known[name]))
        return 0
    folder = os.environ.get("VENV") or ".venv"
    if name == "clean":
        _clean(folder)
        return 0
    python = _installed(folder)
    steps = [[python] + _words(step) for step in known[name]]
    steps[-1] += more
    for step in steps[:-1]:
        code = _call(step, aloud=True)
        if code:
            return code
    return _last(steps[-1], aloud=len(steps) > 1)


def _help():
    """What this program is, and its commands."""
    lines = ["    %-9s %s" % (name, what) for name, what, _ in COMMANDS]
    return "%s\n%s\n" % (__doc__.strip(), "\n".join(["", "Commands:"] + lines))


def _help_of(name, steps):
    what = dict((each, text) for each, text, _ in COMMANDS)[name]
    lines = ["    python " + step for step in steps]
    return "\n".join(["%s: %s" % (name, what)] + lines) + "\n"


def _words(step):
    """The words of *step*, which quotes nothing but whole words."""
    parts = enumerate(step.split('"'))
    return [word for at, part in parts for word in ([part] if at % 2 else part.split())]


def _call(command, aloud=False):
    """Run *command* to its end; its exit code. Raises KeyboardInterrupt if Ctrl-C cut it off."""
    _show(command, aloud)
    process = subprocess.Popen(command, env=_environ())
    interrupted = False
    while True:
        try:
            code = process.wait()
            break
        except KeyboardInterrupt:
            # It got the same Ctrl-C, and ends in its own time.
            interrupted = True
    if interrupted and code:
        raise KeyboardInterrupt
    # As a shell tells that a signal has ended it.
    return code if code >= 0 else 128 - code


def _last(command, aloud):
    """Run *command* in place of this process where that is possible, so that signals reach it."""
    if os.name == "nt":
        return _call(command, aloud)
    _show(command, aloud)
    os.execve(command[0], command, _environ())


def _show(command, aloud):
    if aloud:
        sys.stdout.write("python %s\n" % " ".join(command[1:]))
    sys.stdout.flush()


def _environ():
    """As `activate` has it: nothing of another Python. UTF-8 everywhere, and nothing --user."""
    others = ("PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH", "__PYVENV_LAUNCHER__")
    kept = dict((name, value) for name, value in os.environ.items() if name not in others)
    return dict(kept, PYTHONUTF8="1", PIP_USER="0")


def _installed(folder):
    """The Python of the environment in *folder*, made anew where it is not as it must be."""
    program = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    python = os.path.join(os.path.abspath(folder), *program)
    stamp = os.path.join(folder, ".installed")
    found = _named()
    pinned, made_with = _read(stamp)
    same = pinned == _digest() and (not found or made_with == _identity(*found))
    if same and os.path.exists(python):
        return python
    if os.path.isfile(folder):
        raise Problem("%s is a file: remove it, or name a folder by VENV." % folder)
    version, base = found or _search()
    sys.stdout.write(
        "Installing into %s with Python %s; a minute or two, once\n" % (folder, version)
    )
    _or_problem(
        [base, "-m", "venv", "--clear", folder],
        "%s could not be made, and the lines above say why; VENV names another folder." % folder,
    )
    pip = [python, "-m", "pip", "install", "--quiet", "--quiet", "--disable-pip-version-check"]
    for given in (
        ["-r", "requirements-dev.txt"],
        ["--no-deps", "--ignore-requires-python", "-r", "requirements-engine.txt"],
    ):
        _or_problem(
            pip + given,
            "The packages could not be installed, and the lines above say why: check the network, "
            "or the index in pip's configuration (PIP_INDEX_URL), then run this again.",
        )
    with io.open(stamp, "wb") as file:
        file.write(json.dumps([_digest(), _identity(version, base)]).encode("ascii"))
    return python


def _or_problem(command, sentence):
    code = _call(command)
    if code:
        raise Problem(sentence)


def _digest():
    """What is pinned, and so what is installed."""
    seen = hashlib.sha256()
    for name in sorted(glob.glob("requirements*.txt")):
        with open(name, "rb") as file:
            # A checkout on Windows may have other ends of lines.
            seen.update(file.read().replace(b"\r\n", b"\n"))
    return seen.hexdigest()


def _identity(version, base):
    """What tells one Python from another: it may be there under several names."""
    return [version, os.path.realpath(base)]


def _read(stamp):
    """What was installed and with which Python, as `_installed` wrote it; nothing otherwise."""
    try:
        with io.open(stamp, encoding="ascii") as file:
            pinned, made_with = json.load(file)
            return pinned, made_with
    except (IOError, OSError, ValueError):
        return "", []


def _named():
    """Version and path of the Python that PYTHON names; None where it names none."""
    named = os.environ.get("PYTHON")
    if not named:
        return None
    version = _output([named, "-c", VERSION])
    if not version or not _fits(version):
        told = "Python %s" % version if version else "%s, which does not run" % named
        raise Problem("%s, and PYTHON names %s: name another, or none." % (NEEDED, told))
    found = _probe([named])
    if not found:
        raise Problem(
            "The Python %s that PYTHON names lacks venv, ensurepip or ssl: install them (on Debian "
            "the package python3-venv), or name another." % version
        )
    return found


def _search():
    """Version and path of the best Python on this machine."""
    own = "%d.%d" % sys.version_info[:2]
    pyenv = os.environ.get("PYENV_ROOT") or os.path.join(os.path.expanduser("~"), ".pyenv")
    for version in VERSIONS:
        # A pyenv shim exists for versions that are not switched on, too, and does not run then.
        candidates = [[sys.executable]] if version == own else []
        candidates += [["python" + version], ["py", "-" + version]]
        installed = os.path.join(pyenv, "versions", version + ".*", "bin", "python")
        candidates += [[path] for path in sorted(glob.glob(installed))]
        for candidate in candidates:
            found = _probe(candidate)
            if found and found[0].startswith(version + "."):
                return found
    for candidate in ([sys.executable], ["python3"], ["python"]):
        found = _probe(candidate)
        if found and _fits(found[0]):
            return found
    raise Problem("%s with venv: install one, or set PYTHON to its path." % NEEDED)


def _probe(candidate):
    """Version and path of a Python that can make an environment; None for anything else."""
    told = _output(candidate + ["-c", PROBE])
    version, bar, path = told.partition("|")
    return (version, path) if bar else None


def _output(command):
    """What *command* prints; nothing where it does not run."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environ(),
        )
    except (IOError, OSError):
        return ""
    told = process.communicate()[0]
    return "" if process.returncode else told.decode("utf-8", "replace")


def _fits(version):
    return tuple(int(part) for part in version.split(".")[:2]) >= OLDEST


def _clean(folder):
    for path in (folder, ".local"):
        shutil.rmtree(path, ignore_errors=True)
    if os.path.exists("demo.png"):
        os.remove("demo.png")
    for top in ("local", "tests", "tools"):
        for here, folders, _ in os.walk(top):
            if "node_modules" in folders:
                folders.remove("node_modules")
                shutil.rmtree(os.path.join(here, "node_modules"))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.stderr.write("Stopped\n")
        sys.exit(130)
    except (IOError, OSError) as error:
        if error.errno != errno.EPIPE:
            sys.exit("%s: %s." % (error.filename or "The output", error.strerror or error))
        # Whoever read our lines has seen enough: the flush at the end must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
