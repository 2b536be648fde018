"""A character bigram model with softmax weights, trained by gradient descent."""

import json
import math
import random


class BigramModel:
    def __init__(self, text, seed=0):
        rng = random.Random(seed)
        self.chars = sorted(set(text))
        self.index = {c: i for i, c in enumerate(self.chars)}
        n = len(self.chars)
        self.weights = [[rng.gauss(0, 0.1) for _ in range(n)] for _ in range(n)]

    def probabilities(self, row):
        logits = self.weights[row]
        top = max(logits)
        exps = [math.exp(x - top) for x in logits]
        total = sum(exps)
        return [e / total for e in exps]

    def step(self, pairs, rate):
        """One pass over (character, next character) pairs; returns the mean loss."""
        loss = 0.0
        for a, b in pairs:
            i, j = self.index[a], self.index[b]
            probs = self.probabilities(i)
            loss -= math.log(max(probs[j], 1e-12))
            row = self.weights[i]
            for k, p in enumerate(probs):
                row[k] -= rate * (p - (1.0 if k == j else 0.0))
        return loss / max(1, len(pairs))

    def save(self, path):
        with open(path, "w") as f:
            json.dump({"chars": self.chars, "weights": self.weights}, f)
