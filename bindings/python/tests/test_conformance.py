# SPDX-License-Identifier: MIT
"""Every scenario of the conformance table, and, with WEIR_MUTANTS naming a table of wrong ones, none of these."""

import json
import os
import pathlib
from typing import Any, Dict, List

import pytest
from conformance import play

TABLE = pathlib.Path(__file__).resolve().parents[3] / "tests" / "conformance"


def scenarios(paths: List[pathlib.Path]) -> List[Dict[str, Any]]:
    found = []
    for path in paths:
        if path.name == "schema.json":
            continue
        table = json.loads(path.read_text())
        found += [dict(scenario, pattern=table["pattern"]) for scenario in table["scenarios"]]
    return found


@pytest.mark.parametrize(
    "scenario", scenarios(sorted(TABLE.glob("*.json"))), ids=lambda s: s["name"]
)
def test_scenario(scenario: Dict[str, Any]) -> None:
    assert play(scenario) == []


def test_wrong_tables() -> None:
    """A runner that would pass a wrong expectation proves nothing."""
    mutants = os.environ.get("WEIR_MUTANTS")
    if not mutants:
        pytest.skip("WEIR_MUTANTS names no table of wrong scenarios")
    passed = [s["name"] for s in scenarios([pathlib.Path(mutants)]) if not problems_of(s)]
    assert passed == []


def problems_of(scenario: Dict[str, Any]) -> List[str]:
    try:
        return play(scenario)
    except Exception as error:
        return [repr(error)]
