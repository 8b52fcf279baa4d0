/**
 * How every script ends: a refusal is one clear line on stderr and exit code 1, wrong arguments are the usage text and
 * exit code 2. Anything else is a bug and keeps its stack.
 */

/** What the user can put right; its message is all that they see. */
export class Refusal extends Error {
  override name = "Refusal";
}

export class WrongArguments extends Error {
  override name = "WrongArguments";
}

export async function runCommand(main: () => Promise<void>, usage = ""): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (error instanceof Refusal) {
      console.error(error.message);
      process.exitCode = 1;
    } else if (error instanceof WrongArguments || isParseArgsError(error)) {
      console.error(`${(error as Error).message}\n\n${usage}`);
      process.exitCode = 2;
    } else {
      throw error;
    }
  }
}

function isParseArgsError(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" && code.startsWith("ERR_PARSE_ARGS_");
}
