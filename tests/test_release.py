"""What a release says of itself agrees: the version, the citation, the changelog's fragments."""

import re
import tomllib
from pathlib import Path

import pytest

import riskmodel as rm

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_version_is_one():
    assert PROJECT["project"]["version"] == rm.__version__
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1] == rm.__version__
    assert re.search(r"^license: (.+)$", citation, re.MULTILINE)[1] == PROJECT["project"]["license"]


def test_fragments_are_of_the_kinds_that_the_changelog_has():
    kinds = {kind["directory"] for kind in PROJECT["tool"]["towncrier"]["type"]}
    for path in (ROOT / "changelog.d").iterdir():
        if path.name != "README.md":
            assert path.name.startswith("+")
            assert path.suffixes[-1] == ".md"
            assert path.suffixes[-2].lstrip(".") in kinds
            assert path.read_text(encoding="utf-8").strip()
    assert PROJECT["tool"]["towncrier"]["start_string"] in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("named", PROJECT["project"]["license-files"])
def test_licences_that_ship_are_there(named):
    assert (ROOT / named).read_text(encoding="utf-8").strip()


def test_each_file_of_data_has_its_licence():
    folder = ROOT / "riskmodel" / "data" / "_sample"
    said = (folder / "LICENSES.md").read_text(encoding="utf-8")
    for path in folder.glob("*.gz"):
        assert f"`{path.name}`" in said
