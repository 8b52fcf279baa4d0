/**
 * How far a long run has come, on stderr: one line that moves on a terminal, a line for each step elsewhere.
 */

export function createProgress(stream: NodeJS.WriteStream = process.stderr) {
  return {
    show(text: string): void {
      stream.write(stream.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
    },
    /** Leaves the last line as it is. */
    end(): void {
      if (stream.isTTY) stream.write("\n");
    },
  };
}

export type Progress = ReturnType<typeof createProgress>;

/** 100000 as 100,000. */
export const counted = (count: number) => count.toLocaleString("en");
