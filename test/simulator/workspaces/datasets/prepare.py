"""Strip and deduplicate the lines of raw/*.txt into clean/."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent
(ROOT / "clean").mkdir(exist_ok=True)
for source in sorted((ROOT / "raw").glob("*.txt")):
    lines = dict.fromkeys(line.strip() for line in source.read_text().splitlines() if line.strip())
    (ROOT / "clean" / source.name).write_text("\n".join(lines) + "\n")
    print(f"{source.name}: {len(lines)} lines")
