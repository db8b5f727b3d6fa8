/**
 * Does `work` for each item, at most `width` at a time; the results stand in the items' order. The
 * first failure stops what has not begun and is thrown.
 */
export async function concurrently<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async () => {
    // The workers share one iterator: each takes the next item that none has begun.
    for (const [index, item] of queue) results[index] = await work(item);
  };
  try {
    await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  } finally {
    queue.return?.(undefined);
  }
  return results;
}
