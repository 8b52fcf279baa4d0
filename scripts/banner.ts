/**
 * What `npm start` says once the server answers: where it is, what to present, and a link to click.
 */

import type { Demo, DemoMember } from "./demo-file.ts";
import { portalLinkCommand } from "./demo-link.ts";

export function banner(demo: Demo, member: DemoMember | null, demoFile: string): string {
  const link =
    member === null || demo.portal_url === null
      ? ["Portal link  none: the demo organization was changed. `npm run reset` starts over."]
      : [
          `Portal link  ${demo.portal_url}`,
          `             Signs in ${member.email}; works once, within the hour. Another one:`,
          "",
          `  ${portalLinkCommand(demo.base_url, demo.api_key, member)}`,
          "",
          "Use Chrome or Firefox: Safari may not keep the portal's __Host- cookie over http.",
        ];
  return [
    "",
    "Latchkey is running.",
    "",
    `Base URL     ${demo.base_url}`,
    `API key      ${demo.api_key}`,
    `Project id   ${demo.project_id}`,
    ...link,
    `Sign in      ${demo.base_url}/${demo.organization.slug}/portal/sign-in`,
    "             Mail is not sent from here: each message goes into a file, whose path appears below.",
    `All of this is also in ${demoFile}. Stop with Ctrl-C.`,
    "",
  ].join("\n");
}
