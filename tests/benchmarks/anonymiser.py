"""How much of what must not be published the anonymiser finds in a gold set, and how quickly.

    python tests/benchmarks/anonymiser.py [GOLD] [--half seen|held] [--quick] [--misses] [--json]

Without GOLD, the one of the tests: its half "held" was not looked at while the rules were written. Recall is
the share of entities covered entirely; precision the share of proposals that touch one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

from kb.anonymiser import Anonymiser, evaluate, read_gold  # noqa: E402

OURS = Path(__file__).resolve().parents[1] / "kb" / "anonymiser.jsonl"


def main() -> None:
    """Print the figures of a gold set."""
    options = _options()
    gold = read_gold(options.gold.read_text(encoding="utf-8").splitlines())
    gold = [item for item in gold if options.half in (None, item.get("half"))]
    anonymiser = Anonymiser()
    find = anonymiser.quick if options.quick else anonymiser.find
    find("Vu avec zobda, puis Zobda et lea crusol.")  # loads what is loaded once
    started = time.process_time()
    for item in gold:
        find(item["text"])
    seconds = time.process_time() - started
    scores = evaluate(gold, find)
    if options.json:
        print(json.dumps(scores, indent=2))
        return
    for kind, score in scores.items():
        print(
            f"{kind:8} recall {score['recall']:6.1%} of {score['expected']:4.0f}"
            f"   precision {score['precision']:6.1%} of {score['found']:4.0f}"
        )
    letters = sum(len(item["text"]) for item in gold)
    print(f"{len(gold)} texts, {1e6 * seconds / max(1, letters):.1f} ms of CPU for 1,000 characters")
    if options.misses:
        for item in gold:
            if evaluate([item], find)["all"]["recall"] < 1:
                print(repr(item["text"]), [f.text for f in find(item["text"])])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("gold", nargs="?", type=Path, default=OURS)
    parser.add_argument("--half", choices=("seen", "held"))
    parser.add_argument("--quick", action="store_true", help="rules alone")
    parser.add_argument("--misses", action="store_true", help="the texts of which something is left")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
