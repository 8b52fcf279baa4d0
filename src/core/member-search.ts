/** By what members are searched for. */

import type { MemberStatus, Named } from "./directory.ts";

/** `setting`: the name of a sign-in setting, in the words of the dialect that keeps it. */
export type MemberCriterion =
  | { kind: "named"; names: Named[] }
  | { kind: "email"; emails: string[] }
  /** Without regard to case. */
  | { kind: "email_part"; part: string }
  | { kind: "status"; statuses: (MemberStatus | "deleted")[] }
  | { kind: "setting"; setting: string; values: string[] }
  | { kind: "setting_part"; setting: string; part: string }
  /** A setting that was never made is off. */
  | { kind: "switch"; setting: string; isOn: boolean };
