/**
 * The bundle size that README.md states, held to the one that was measured.
 */

const ROW = /^\| bundle, minified and gzipped .*\| ([\d.]+) KiB \|$/m;
/** A change of a few lines need not touch the README. */
const TOLERANCE_KIB = 0.3;

/** What to write there, or null if the figure will do. */
export function readmeSizeProblem(readme: string, gzipKib: number): string | null {
  const stated = ROW.exec(readme)?.[1];
  if (stated === undefined) return 'README.md has no row "| bundle, minified and gzipped … | n KiB |".';
  // In hundredths, as wrangler prints them: 43.6 - 43.3 is above 0.3.
  if (Math.round(Math.abs(Number(stated) - gzipKib) * 100) <= TOLERANCE_KIB * 100) return null;
  return `README.md says ${stated} KiB for the bundle: write ${gzipKib.toFixed(1)} KiB.`;
}
