import json
import os
import re
import sys

UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def obey(perform):
    """Hands each line of standard input to `perform`, says what came of it, and ends with the last."""
    for line in sys.stdin:
        verb, *words = line.split()
        try:
            say(perform(verb, words) or {})
        except Exception as thrown:
            say({"error": str(thrown)})
    # Threads that hold a call must not keep the process.
    os._exit(0)


def say(answer):
    print(json.dumps(answer), flush=True)


def fail(text):
    print(f"peer: {text}", file=sys.stderr)
    sys.exit(1)


def seconds(text):
    """A duration as Go writes it: `250ms`, `2s`, `1m`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)?", text)
    if found is None:
        raise ValueError(f"no duration: {text}")
    return float(found[1]) * UNIT_SECONDS[found[2] or "ms"]
