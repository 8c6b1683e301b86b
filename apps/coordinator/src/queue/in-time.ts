/** @returns what was asked for, or `otherwise` when it fails or takes longer; what comes later is not waited for */
export async function inTime<T, U>(asked: Promise<T>, withinMs: number, otherwise: U): Promise<T | U> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<U>((resolve) => {
    timer = setTimeout(resolve, withinMs, otherwise);
  });
  try {
    return await Promise.race([asked.catch(() => otherwise), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
