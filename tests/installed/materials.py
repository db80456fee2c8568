"""Check a bill of materials: all that the package needs, with licences, and nothing of its machine."""

import json
import re
import sys
import tomllib
from pathlib import Path


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main(path: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    bill = json.loads(text)
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert bill["bomFormat"] == "CycloneDX"
    own = bill["metadata"]["component"]
    assert (own["name"], own["version"]) == (project["name"], project["version"]), own
    parts = {plain(c["name"]): c for c in bill["components"]}
    needed = {plain(re.split(r"[<>=!~;\[ ]", d)[0]) for d in project["dependencies"]}
    assert needed <= parts.keys(), needed - parts.keys()
    assert "pip" not in parts
    unlicensed = [name for name, part in parts.items() if not part.get("licenses")]
    assert not unlicensed, unlicensed
    for private in ("file://", str(Path.home()), str(Path.cwd())):
        assert private not in text, private
    print(f"{len(parts)} packages, each with a licence")


if __name__ == "__main__":
    main(sys.argv[1])
