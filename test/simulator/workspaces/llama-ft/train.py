"""Fine-tune the model on data/train.txt and write the losses to out/loss.csv."""

import argparse
import csv
import os
import time
from pathlib import Path

from utils.model import BigramModel

ROOT = Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--lr", type=float, default=0.3)
    parser.add_argument("--pause", type=float, default=0.3, help="seconds between epochs")
    args = parser.parse_args()

    text = (ROOT / "data" / "train.txt").read_text()
    pairs = list(zip(text, text[1:]))
    model = BigramModel(text)
    out = ROOT / "out"
    out.mkdir(exist_ok=True)

    print(f"pod {os.environ.get('RUNPOD_POD_ID', 'local')}: {len(pairs)} tokens, {args.epochs} epochs", flush=True)
    with open(out / "loss.csv", "w", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(["epoch", "loss", "seconds"])
        for epoch in range(1, args.epochs + 1):
            started = time.time()
            loss = model.step(pairs, args.lr / epoch)
            seconds = time.time() - started
            writer.writerow([epoch, f"{loss:.4f}", f"{seconds:.2f}"])
            f.flush()
            print(f"epoch {epoch}/{args.epochs}  loss {loss:.4f}  {seconds:.2f}s", flush=True)
            time.sleep(args.pause)
    model.save(out / "model.json")
    print("saved out/model.json", flush=True)


if __name__ == "__main__":
    main()
