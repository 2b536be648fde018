/** Works on all items, so many at once. After the first failure no further one is begun; it is thrown when all have ended. */
export async function inParallel<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const failed: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let item = items[next]; next < items.length && failed.length === 0; item = items[next]) {
      next++;
      try {
        await work(item as T);
      } catch (error) {
        failed.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failed.length > 0) throw failed[0];
}
