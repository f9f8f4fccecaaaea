# Sourced by the scripts beside it. POSIX sh.
set -eu

SCRIPT=bin/${0##*/}
ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$ROOT"
VENV=${VENV:-.venv}
PY=$VENV/bin/python

# Modules compiled once and kept make every later start faster.
unset PYTHONDONTWRITEBYTECODE PYTHONHOME

die() {
    printf '%s: %s\n' "$SCRIPT" "$*" >&2
    exit 1
}

# "Usage: ..." is the comment at the head of every script.
usage() {
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
}

python_version() {
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null
}

# What an up-to-date environment says of itself in $VENV/.installed: the locks, the place, the Python, "run" or "dev".
stamp() {
    cksum bin/uv.txt requirements.txt requirements-dev.txt
    printf '%s\n%s %s\n' "$(cd "$VENV" && pwd)" "$(python_version "$PY")" "$1"
}
