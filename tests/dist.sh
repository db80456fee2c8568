#!/bin/sh
# Build the packages, check them, and use each in an empty environment of each Python 3.11-3.14 that is present.
# VERSIONS="3.11" tries fewer; KINDS="wheel" one kind.
set -eu
VERSIONS=${VERSIONS:-"3.11 3.12 3.13 3.14"}
KINDS=${KINDS:-"wheel sdist"}
tools=.venvs/dist/bin
quiet="--quiet --disable-pip-version-check"
ran=""
missing=""

# A version manager may hide interpreters behind names that do not start; ask it for each.
find_python() {
  for candidate in "python$1" "$HOME"/.pyenv/versions/"$1".*/bin/python; do
    if "$candidate" -c "import ensurepip, sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
  done
}

version=$("$tools/python" -c "import tomllib; print(tomllib.load(open('pyproject.toml', 'rb'))['project']['version'])")

echo "== build $version"
rm -rf dist
"$tools/python" -m build --outdir dist . >/dev/null
wheel="dist/factor_riskmodel-$version-py3-none-any.whl"
sdist="dist/factor_riskmodel-$version.tar.gz"

echo "== metadata"
"$tools/twine" check --strict "$wheel" "$sdist"
"$tools/check-wheel-contents" "$wheel"
# the two points that lack are for a home page and an address, which the project does not have yet
"$tools/pyroma" --min 8 "$sdist"
# the validator of citations needs an older jsonschema than the other tools
cff=.venvs/cff/bin
[ -x "$cff/cffconvert" ] || { "$tools/python" -m venv .venvs/cff && "$cff/python" -m pip install $quiet "cffconvert>=2.0"; }
"$cff/cffconvert" --validate --infile CITATION.cff

install() { # environment, python, extra, pip arguments: from dist/ by name, as from an index
  env="$1"; python="$2"; extra="$3"; shift 3
  [ -x "$env/bin/python" ] || "$python" -m venv --without-pip "$env"
  "$tools/python" -m pip $quiet --python "$env/bin/python" install --find-links dist "$@" "factor-riskmodel$extra==$version"
}

for number in $VERSIONS; do
  python=$(find_python "$number")
  if [ -z "$python" ]; then missing="$missing $number"; continue; fi
  for kind in $KINDS; do
    env=".venvs/dist-$number-$kind"
    rm -rf "$env"
    only="--only-binary=factor-riskmodel"
    [ "$kind" = wheel ] || only="--no-binary=factor-riskmodel"
    install "$env" "$python" "" "$only"
    here=$(pwd)
    work=$(mktemp -d)
    # from another folder, so that what is imported is what was installed
    (
      cd "$work"
      "$here/$env/bin/python" -W error "$here/tests/installed/smoke.py" "$version"
      "$here/$env/bin/riskmodel" --version
    )
    if [ "$kind" = wheel ] && [ ! -e "dist/factor_riskmodel-$version.cdx.json" ]; then
      # before extras: what an installation brings by itself
      "$tools/cyclonedx-py" environment --pyproject pyproject.toml --mc-type library --output-reproducible --of JSON \
        --output-file "dist/factor_riskmodel-$version.cdx.json" "$env/bin/python"
      "$tools/python" tests/installed/materials.py "dist/factor_riskmodel-$version.cdx.json"
      (
        cd "$work"
        "$here/$tools/mypy" --strict --config-file= --cache-dir=cache --python-executable "$here/$env/bin/python" \
          "$here/tests/installed/typed.py"
      )
    fi
    install "$env" "$python" "[report]" "$only"
    (
      cd "$work"
      "$here/$env/bin/riskmodel" report MSFT=0.5 JPM=0.3 XOM=0.2 --budget 1e6 --horizon month --cap 0.2 \
        --output report.html >report.txt
      grep -q hedged report.txt
      grep -q "</html>" report.html
    )
    rm -rf "$work" "$env"
    echo "== $kind on $number: installed, imported, demo ran"
    ran="$ran $kind:$number"
  done
done

echo "built:" && ls dist
echo "used:$ran"
[ -z "$missing" ] || echo "NOT TRIED, because no such Python is present:$missing"
[ -n "$ran" ]
