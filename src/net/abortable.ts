/**
 * A promise that rejects with the signal's reason when it is aborted, also if it was before; its
 * listener goes with the promise, so a signal that lives on keeps nothing of it.
 */
export async function abortable<T>(
  signal: AbortSignal,
  begin: (resolve: (value: T) => void, reject: (reason: unknown) => void) => void,
): Promise<T> {
  let abort = (): void => {};
  try {
    return await new Promise<T>((resolve, reject) => {
      abort = () => reject(signal.reason);
      if (signal.aborted) abort();
      signal.addEventListener("abort", abort, { once: true });
      begin(resolve, reject);
    });
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
