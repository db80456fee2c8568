#!/bin/sh
# Run the tests on each Python 3.11-3.13 that is present, and once with the lowest versions pyproject.toml allows.
set -eu
ran=""
quiet="--quiet --disable-pip-version-check"

# A version manager may hide interpreters behind names that do not start; ask it for each.
find_python() {
  for candidate in "python$1" "$HOME"/.pyenv/versions/"$1".*/bin/python; do
    if "$candidate" -c "import ensurepip, sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
  done
}

run() { # name, python, pip arguments
  name="$1"; python="$2"; shift 2
  env=".venvs/$name"
  [ -x "$env/bin/python" ] || "$python" -m venv "$env"
  "$env/bin/python" -m pip install $quiet "$@"
  echo "== $name: $("$env/bin/python" --version)"
  "$env/bin/python" -m pytest -q -p no:cacheprovider
  ran="$ran $name"
}

for version in 3.11 3.12 3.13; do
  python=$(find_python "$version")
  if [ -n "$python" ]; then run "$version" "$python" --editable ".[test]"; else echo "== $version: not present"; fi
done

for version in 3.11 3.12 3.13; do
  python=$(find_python "$version")
  if [ -n "$python" ]; then
    floors=$("$python" - <<'EOF'
import re, tomllib
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
extras = project["optional-dependencies"]
wanted = project["dependencies"] + extras["report"] + extras["french"] + extras["cache"] + extras["dask"]
print(*(re.sub(r">=([\w.]+).*", r"==\1", d) for d in wanted))
EOF
)
    # the oldest versions have no builds for newer interpreters
    # shellcheck disable=SC2086
    run "lowest-$version" "$python" --editable ".[test]" $floors
    break
  fi
done
echo "passed on:$ran"
[ -n "$ran" ]
