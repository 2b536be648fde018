"""A training loop that needs nothing but Python: fits a line to noisy points."""
import random
import time

STEPS = 5
random.seed(7)
points = [(x, 3.0 * x + 1.0 + random.gauss(0, 0.1)) for x in (i / 20 for i in range(20))]
slope, offset = 0.0, 0.0

for step in range(1, STEPS + 1):
    for _ in range(200):
        grad_slope = sum(2 * (slope * x + offset - y) * x for x, y in points) / len(points)
        grad_offset = sum(2 * (slope * x + offset - y) for x, y in points) / len(points)
        slope -= 0.1 * grad_slope
        offset -= 0.1 * grad_offset
    loss = sum((slope * x + offset - y) ** 2 for x, y in points) / len(points)
    print(f"step {step}/{STEPS}  loss {loss:.4f}", flush=True)
    time.sleep(0.2)

print(f"y = {slope:.2f} x + {offset:.2f}")
