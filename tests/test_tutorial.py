"""The tutorial, line by line: what it says to type is typed, and what it says one sees is seen."""

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs/tutorial.md"
_BLOCK = re.compile(r"^```(sh|text|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATIENCE_SECONDS = 120
#: A person is slower than the server's start. Its port differs here, so that several can run.
_SERVING = """
until [ -s roost-data/server.json ]; do :; done
SERVER=$(python3 -c 'import json; print(json.load(open("roost-data/server.json"))["base_url"])')
"""


def test_every_line_of_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    blocks = _BLOCK.findall(PAGE.read_text("utf-8"))
    script, expected = ["set -m"], []
    for kind, text in blocks:
        if kind == "python":
            name = text.partition("\n")[0].removeprefix("# ")
            (tmp_path / name).write_text(text)
        elif kind == "sh":
            text = text.replace(" python3 waiter.py", " ROOST_URL=$SERVER python3 waiter.py")
            script += [text, _SERVING if "roost serve" in text else "", f"echo '=={len(expected)}'"]
            expected.append("...")
        else:
            expected[-1] = text.strip("\n")
    seen = _run("\n".join(script), tmp_path).split("==")
    assert len(expected) > 5
    shown = [part.partition("\n")[2] if nth else part for nth, part in enumerate(seen)]
    for text, what_came in zip(expected, shown, strict=False):
        pattern = ".*".join(re.escape(piece) for piece in text.split("..."))
        assert re.fullmatch(pattern, what_came.strip("\n"), re.DOTALL), f"expected\n{text}\nand saw\n{what_came}"
    assert seen[-1].strip() == str(len(expected) - 1), "it came to its end"


def _run(script: str, folder: Path) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ROOST_")}
    environ["ROOST_PORT"] = "0"
    environ["PATH"] = f"{Path(sys.executable).parent}:{environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f"trap 'kill $(jobs -p) 2>&-' EXIT\n{script}"],
        cwd=folder, env=environ, capture_output=True, text=True, timeout=_PATIENCE_SECONDS,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.stdout
