/**
 * A bound on how long a storage answer is waited for. The operation itself cannot be called back: whatever it still
 * does after the deadline, nobody is listening.
 */

export class DeadlineExceeded extends Error {
  constructor(what: string, milliseconds: number) {
    super(`${what} did not answer within ${milliseconds} ms`);
    this.name = "DeadlineExceeded";
  }
}

export async function withinDeadline<T>(what: string, milliseconds: number, operation: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineExceeded(what, milliseconds)), milliseconds);
  });
  try {
    return await Promise.race([operation, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
