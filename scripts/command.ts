/**
 * How every script ends: a refusal is one clear line on stderr and exit code 1, wrong arguments are the usage text and
 * exit code 2; who asks for help gets it on stdout. Anything else is a bug and keeps its stack.
 */

/** What the user can put right; its message is all that they see. */
export class Refusal extends Error {
  override name = "Refusal";
}

export class WrongArguments extends Error {
  override name = "WrongArguments";
}

export async function runCommand(main: () => Promise<void>, usage = ""): Promise<void> {
  if (usage !== "" && process.argv.slice(2).some((argument) => argument === "--help" || argument === "-h")) {
    console.log(usage);
    return;
  }
  try {
    await main();
  } catch (error) {
    if (error instanceof Refusal) {
      console.error(error.message);
      process.exitCode = 1;
    } else if (error instanceof WrongArguments || isParseArgsError(error)) {
      // What is wrong comes last: a long usage would scroll it away.
      console.error(`${usage}\n\n${(error as Error).message}`);
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
