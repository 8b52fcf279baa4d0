/**
 * `npm run size`: what a deployment uploads, and whether it and the source files keep their bounds, and whether the
 * README tells its size. Parsing the bundle is most of a cold start, and small files are the house rule; neither holds
 * by wishing.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal, runCommand } from "./command.ts";
import { PROJECT_ROOT } from "./dev-directory.ts";
import { readmeSizeProblem } from "./readme-size.ts";
import { runWrangler } from "./wrangler.ts";

const MAX_GZIP_KIB = 110;
const MAX_LINES = 200;
/** wrangler generates it. */
const UNCOUNTED = "worker-env.d.ts";

await runCommand(async () => {
  const { ok, stdout, stderr } = await runWrangler(["deploy", "--dry-run", "--minify", "--outdir", ".tmp/bundle"]);
  const [sizes, gzipKib] = /Total Upload: .*gzip: ([\d.]+) KiB/.exec(stdout) ?? [];
  if (!ok || sizes === undefined) throw new Refusal(`The Worker could not be bundled.\n${stdout}${stderr}`);
  console.log(sizes);
  const stale = readmeSizeProblem(readFileSync(join(PROJECT_ROOT, "README.md"), "utf8"), Number(gzipKib));
  const problems = [
    ...(Number(gzipKib) > MAX_GZIP_KIB ? [`The bundle is above ${MAX_GZIP_KIB} KiB gzip.`] : []),
    ...longFiles(join(PROJECT_ROOT, "src")).map((file) => `${file}: above ${MAX_LINES}. Split it.`),
    ...(stale === null ? [] : [stale]),
  ];
  if (problems.length > 0) throw new Refusal(problems.join("\n"));
});

function longFiles(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return names.flatMap(({ name, parentPath }) => {
    const lines = readFileSync(join(parentPath, name), "utf8").split("\n").length - 1;
    return name !== UNCOUNTED && lines > MAX_LINES ? [`${join(parentPath, name)} has ${lines} lines`] : [];
  });
}
