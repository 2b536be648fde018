const beginWith = 8;
const least = 4;
/** Answers that take longer tell that enough is under way. */
const promptMs = 1_000;

/**
 * Keeps requests under way until `next` has no more or one fails, and settles when the last of them has. There are few in the
 * beginning and one more with each prompt answer, up to `most`: a fast link is filled whatever its round trip, and a thin
 * one does not keep each request waiting behind megabytes of others.
 * @param first requests that are sent before this returns.
 */
export function keepBusy(most: number, next: () => Promise<unknown> | undefined, first = Math.min(beginWith, most)): Promise<void> {
  return new Promise((resolve, reject) => {
    const failures: unknown[] = [];
    let allowed = first;
    let flying = 0;
    let over = false;
    const more = (): void => {
      while (!over && flying < allowed) {
        const asked = performance.now();
        const one = next();
        if (one === undefined) {
          over = true;
          break;
        }
        flying++;
        one.then(
          () => {
            allowed = performance.now() - asked < promptMs ? Math.min(most, allowed + 1) : Math.max(Math.min(least, most), allowed - 1);
            flying--;
            more();
          },
          (error: unknown) => {
            failures.push(error);
            over = true;
            flying--;
            more();
          },
        );
      }
      if (!over || flying > 0) return;
      if (failures.length > 0) reject(failures[0] instanceof Error ? failures[0] : new Error(String(failures[0])));
      else resolve();
    };
    more();
  });
}
