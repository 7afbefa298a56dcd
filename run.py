"""
Runs PhotoSync's commands on any machine, without make: `python run.py demo`.

Any Python can start it; it then finds one that is new enough. The first command creates .venv and
installs the packages that requirements*.txt pin, which takes a minute or two; later ones reuse it.

PYTHON   the Python for .venv; by default 3.13, the version in Azure, or the best one found
VENV     a folder to use instead of .venv, such as .venv-3.12 for a second Python

With LOCAL_HOST_COMMAND=func, `start` and `e2e` run the app in Azure Functions Core Tools; with
CONTRACT_TENANT=FILE, `contract` also tests a tenant. make calls these variables HOST and TENANT.
"""

# Written so that even Python 2.7 prints a sentence instead of a traceback.
import errno
import glob
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
OLDEST = (3, 11)
# All supported versions, best first: 3.13 is what runs in Azure.
VERSIONS = ("3.13", "3.14", "3.12", "3.11")
NEEDED = "PhotoSync needs Python 3.11, 3.12, 3.13 or 3.14"
# In each folder that this program made: only there may it delete everything.
MARK = ".made-by-photosync"

LINT = (
    "-m ruff check .",
    "-m ruff format --check .",
    "-m mypy",
    # Finds uses of the standard library that do not exist on Windows.
    "-m mypy --platform win32 --cache-dir .mypy_cache/win32",
    "-m tools.javascript",
)
QUICK = '-m pytest -q -n 2 --dist worksteal -m "not server and not long"'
# Tests of one file share their servers, so they stay together. Three workers: tests mostly wait.
WHOLE = "-m pytest -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-fail-under=95"
# Keeps all versions that still fit; --upgrade takes the newest of all, -P msal of one package.
LOCK = (
    "-m uv pip compile --quiet --universal --python-version 3.11"
    ' --custom-compile-command "make lock" --output-file requirements.txt requirements.in'
)
# Name, description, and the Python commands to run in order; the last one gets extra arguments.
COMMANDS = (
    ("demo", "show the main job from end to end", ("-m local demo",)),
    ("start", "run the local cloud until Ctrl-C; --set DRY_RUN=true, --sign-in", ("-m local up",)),
    ("check", "style, types, and all tests that need no server", LINT + (QUICK,)),
    ("test", "run everything that CI checks", LINT + (WHOLE,)),
    ("lint", "style and types only", LINT),
    # Not in parallel: a host that is not ours may download something when it first starts.
    ("e2e", "run the end-to-end tests", ("-m pytest tests/e2e",)),
    (
        "contract",
        "check that a tenant answers as the simulator does",
        ("-m pytest tests/contract",),
    ),
    (
        "simulate",
        "simulate thousands of a tenant's days; --seed 7 --days 500",
        ("-m tests.machine",),
    ),
    ("soak", "change photos under faults and crashes; --seed 7 --minutes 1", ("-m local soak",)),
    ("bench", "measure, and compare with the goals; --only sweep", ("-m local bench",)),
    ("package", "build the zip that is deployed", ("-m tools.package",)),
    (
        "licences",
        "list every package's licence; fails on one that is not approved",
        ("-m piplicenses",),
    ),
    ("lock", "update requirements.txt from requirements.in; --upgrade", (LOCK,)),
    ("clean", "remove .venv, .local and other generated files", ()),
)
PLAIN = re.compile(r"\d+\.\d+\.\d+$")
VERSION = "import sys; sys.stdout.write('%d.%d.%d' % sys.version_info[:3])"
PROBE = (
    "import sys, venv, ensurepip, ssl; sys.stdout.write("
    "'%d.%d.%d|' % sys.version_info[:3] + getattr(sys, '_base_executable', sys.executable))"
)


class Problem(Exception):
    """Why a command cannot run; one sentence that says what to do."""


def main(arguments):
    """Run the command in *arguments*; returns its exit code."""
    if sys.stdout is None:
        raise Problem("The output is closed: run this again with its output open or in a file.")
    os.chdir(ROOT)
    known = dict((name, steps) for name, _, steps in COMMANDS)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        sys.stdout.write(_help())
        return 0 if arguments else 2
    name, more = arguments[0], arguments[1:]
    if name not in known:
        raise Problem("There is no command %s: python run.py --help lists all commands." % name)
    if more and more[0] in ("-h", "--help"):
        sys.stdout.write(_help_of(name, known[name]))
        return 0
    folder = os.path.expanduser(os.environ.get("VENV") or ".venv")
    if name == "clean":
        _clean(folder, more)
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
    """The help text: what this program does, and its commands."""
    lines = ["    %-9s %s" % (name, what) for name, what, _ in COMMANDS]
    return "%s\n%s\n" % (__doc__.strip(), "\n".join(["", "Commands:"] + lines))


def _help_of(name, steps):
    what = dict((each, text) for each, text, _ in COMMANDS)[name]
    lines = ["    python " + step for step in steps]
    return "\n".join(["%s: %s" % (name, what)] + lines) + "\n"


def _words(step):
    """The arguments of *step*, in which only whole words are quoted."""
    parts = enumerate(step.split('"'))
    return [word for at, part in parts for word in ([part] if at % 2 else part.split())]


def _call(command, aloud=False):
    """Run *command*; returns its exit code. Raises KeyboardInterrupt if Ctrl-C cut it off."""
    _show(command, aloud)
    process = subprocess.Popen(command, env=_environ())
    interrupted = False
    while True:
        try:
            code = process.wait()
            break
        except KeyboardInterrupt:
            # The command got the same Ctrl-C and is about to end.
            interrupted = True
    if interrupted and code:
        raise KeyboardInterrupt
    # As a shell reports a signal.
    return code if code >= 0 else 128 - code


def _last(command, aloud):
    """Replace this process by *command* if possible, so that signals reach it."""
    if os.name == "nt":
        return _call(command, aloud)
    _show(command, aloud)
    os.execve(command[0], command, _environ())


def _show(command, aloud):
    if aloud:
        sys.stdout.write("python %s\n" % " ".join(command[1:]))
    sys.stdout.flush()


def _environ():
    """As `activate` sets it: without another Python's variables, with UTF-8, without --user."""
    others = ("PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH", "__PYVENV_LAUNCHER__")
    kept = dict((name, value) for name, value in os.environ.items() if name not in others)
    return dict(kept, PYTHONUTF8="1", PIP_USER="0")


def _installed(folder):
    """The Python of the environment in *folder*, which is recreated if it is out of date."""
    program = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    python = os.path.join(os.path.abspath(folder), *program)
    stamp = os.path.join(folder, ".installed")
    found = _named()
    if _is_current(python, stamp, found):
        return python
    if os.path.isfile(folder):
        raise Problem("%s is a file: remove it, or set VENV to a folder." % folder)
    _check_ours(folder)
    version, base = found or _search()
    with _alone(folder):
        # Another run.py may have installed it meanwhile.
        if not _is_current(python, stamp, found):
            _install(folder, python, version, base)
            with io.open(stamp, "wb") as file:
                file.write(json.dumps([_digest(), _identity(version, base)]).encode("ascii"))
    return python


def _is_current(python, stamp, found):
    """Whether *python* has what is pinned, and was made with the Python *found*, if one is."""
    pinned, made_with = _read(stamp)
    same = pinned == _digest() and (not found or made_with == _identity(*found))
    return same and os.path.exists(python)


def _install(folder, python, version, base):
    sys.stdout.write(
        "Installing into %s with Python %s; takes a minute or two, once\n" % (folder, version)
    )
    _empty(folder)
    _or_problem(
        [base, "-m", "venv", folder],
        "%s could not be created (see above): fix that, or set VENV to another folder." % folder,
    )
    pip = [python, "-m", "pip", "install", "--quiet", "--quiet", "--disable-pip-version-check"]
    for given in (
        ["-r", "requirements-dev.txt"],
        ["--no-deps", "--ignore-requires-python", "-r", "requirements-engine.txt"],
    ):
        _or_problem(
            pip + given,
            "The packages could not be installed (see above): check the network and pip's index "
            "(PIP_INDEX_URL), then run this again.",
        )


def _alone(folder):
    """
    The mark in *folder*, which is created if need be, locked until it is closed.

    Raises Problem if another run.py holds the lock.
    """
    try:
        os.makedirs(folder)
    except (IOError, OSError):
        # Another run.py may have created it a moment ago.
        if not os.path.isdir(folder):
            raise
    lock = _locked(os.path.join(folder, MARK))
    if not lock:
        raise Problem(
            "Another run.py is installing into %s: run this again when it has finished." % folder
        )
    return lock


def _check_ours(folder):
    """Raises Problem unless everything in *folder* may be deleted: it is new, or we made it."""
    checkout, whole = (
        os.path.join(os.path.normcase(os.path.realpath(each)), "") for each in (ROOT, folder)
    )
    names = os.listdir(folder) if os.path.isdir(folder) else []
    # Before version 0.2.0 there was no mark.
    made_here = MARK in names or set(["pyvenv.cfg", ".installed"]) <= set(names)
    if checkout.startswith(whole) or (names and not made_here):
        raise Problem(
            "run.py did not make %s, and would delete everything in it: set VENV to a new folder, "
            "such as .venv-photosync." % folder
        )


def _empty(folder):
    """Delete everything in *folder* but the mark, so that a cut-off installation stays ours."""
    # What .installed says is wrong from the first deletion on, so it goes before any program.
    for name in sorted(os.listdir(folder)):
        if name != MARK:
            _remove(os.path.join(folder, name))


def _remove(path):
    """Delete a file, a folder, or a link but not what it points to."""
    if os.path.islink(path) or not os.path.isdir(path):
        os.remove(path)
    else:
        shutil.rmtree(path)


def _or_problem(command, sentence):
    code = _call(command)
    if code:
        raise Problem(sentence)


def _digest():
    """A hash of the pinned versions."""
    seen = hashlib.sha256()
    for name in sorted(glob.glob("requirements*.txt")):
        with open(name, "rb") as file:
            # A checkout on Windows may have other line endings.
            seen.update(file.read().replace(b"\r\n", b"\n"))
    return seen.hexdigest()


def _identity(version, base):
    """What tells one Python from another: it may be there under several names."""
    return [version, os.path.realpath(base)]


def _read(stamp):
    """What `_installed` recorded: the hash and the Python used; empty if nothing is recorded."""
    try:
        with io.open(stamp, encoding="ascii") as file:
            pinned, made_with = json.load(file)
            return pinned, made_with
    except (IOError, OSError, ValueError, TypeError, RuntimeError):
        # Somebody else's file; json raises RuntimeError if it is nested too deeply.
        return "", []


def _named():
    """Version and path of the Python in PYTHON; None if it is not set."""
    named = os.environ.get("PYTHON")
    if not named:
        return None
    version = _output([named, "-c", VERSION])
    if not _fits(version):
        is_python = PLAIN.match(version)
        told = "Python %s" % version if is_python else "%s, which does not run as Python" % named
        raise Problem("%s, but PYTHON is %s: set it to another, or unset it." % (NEEDED, told))
    found = _probe([named])
    if not found:
        raise Problem(
            "The Python %s in PYTHON lacks venv, ensurepip or ssl: install them (on Debian the "
            "package python3-venv), or set PYTHON to another." % version
        )
    return found


def _search():
    """Version and path of the best Python on this machine."""
    own = "%d.%d" % sys.version_info[:2]
    pyenv = os.environ.get("PYENV_ROOT") or os.path.join(os.path.expanduser("~"), ".pyenv")
    for version in VERSIONS:
        # A pyenv shim also exists for versions that are not active, and then fails.
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
    """Version and path of a Python that can create an environment; None for anything else."""
    told = _output(candidate + ["-c", PROBE])
    version, bar, path = told.partition("|")
    return (version, path) if bar and PLAIN.match(version) else None


def _output(command):
    """What *command* prints; empty if it cannot run."""
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
    """Whether *version* is one that PhotoSync runs with; not if it is no version at all."""
    return (
        bool(PLAIN.match(version)) and tuple(int(part) for part in version.split(".")[:2]) >= OLDEST
    )


def _clean(folder, arguments):
    if arguments:
        raise Problem("Nothing was deleted: run `python run.py clean` without %s." % arguments[0])
    _check_ours(folder)
    _check_no_cloud()
    if os.path.isdir(folder):
        _alone(folder).close()
    left = []
    for path in _generated(folder):
        try:
            if path == folder and os.path.isdir(path):
                # Its mark goes last, so that `clean` may try again.
                _empty(path)
            if os.path.lexists(path):
                _remove(path)
        except (IOError, OSError) as error:
            left.append("%s (%s)" % (error.filename or path, error.strerror or error))
    if left:
        raise Problem(
            "%s could not be deleted: stop the program that uses it, or delete it yourself."
            % " and ".join(left)
        )


def _generated(folder):
    """Everything that `clean` deletes, as far as it is there."""
    found = [folder, ".local", "demo.png"]
    for top in ("local", "tests", "tools"):
        for here, folders, _ in os.walk(top):
            if "node_modules" in folders:
                folders.remove("node_modules")
                found.append(os.path.join(here, "node_modules"))
    return found


def _check_no_cloud():
    """Raises Problem if a local cloud is running; local/cloud/occupancy.py takes the lock."""
    for here, _, names in os.walk(".local"):
        if "in-use.lock" in names:
            lock = _locked(os.path.join(here, "in-use.lock"))
            if not lock:
                raise Problem(
                    "A local cloud is running in %s: stop it, then run this again." % here
                )
            lock.close()


def _locked(path):
    """The file *path*, locked until it is closed; None if a running process holds the lock."""
    file = io.open(path, "ab")
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (IOError, OSError) as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            file.close()
            return None
        # Some network drives have no locks, so nobody holds this one.
    return file


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
        # The reader closed the pipe: the flush at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
