/**
 * The settings of an organization as an operator writes them: option names, their bounds, and the columns they fill.
 * The bounds are the schema's (migrations/0001_tenants_and_people.sql), said in words.
 */

import { readOutsideUrl } from "../src/core/outside-url.ts";
import { Refusal } from "./command.ts";
import { readPortalUrl } from "./portal-url.ts";
import type { SqlValue } from "./sql.ts";

const YEAR_SECONDS = 31_622_400;

export const SETTING_OPTIONS = {
  "portal-link": { type: "string" },
  "portal-url": { type: "string" },
  "portal-code-ttl": { type: "string" },
  "allowed-return-origins": { type: "string" },
  "session-ttl": { type: "string" },
  "session-max-ttl": { type: "string" },
  "max-sessions-per-member": { type: "string" },
  "member-model": { type: "string" },
  "seat-based-pricing": { type: "string" },
  "login-picker": { type: "string" },
  "email-change": { type: "string" },
  "userinfo-url": { type: "string" },
} as const;

export const SETTINGS_USAGE = `  --portal-link code|token           what a portal link carries [code]
  --portal-url <url>|none            your own portal, which redeems the code itself [none]
  --portal-code-ttl <seconds>        30 to ${YEAR_SECONDS} [300]
  --allowed-return-origins a,b|none  origins that a return_url may have [none: any]
  --session-ttl <seconds>            a session's life unless asked otherwise, 60 to ${YEAR_SECONDS} [3600]
  --session-max-ttl <seconds>        its longest life, 300 to ${YEAR_SECONDS} [2592000]
  --max-sessions-per-member <n>      1 to 10000; beyond it the oldest ends [100]
  --member-model on|off              off: POST /v1/member-sessions/ answers 403 [on]
  --seat-based-pricing on|off        off: the same [on]
  --login-picker after-proof|polar   polar: whoever asks for a sign-in code for an address of several customers is shown
                                     their names, as Polar does; else only whoever has proven it [after-proof]
  --email-change on|off              whether individual customers may change their e-mail in the portal [off]
  --userinfo-url <url>|none          OpenID Connect UserInfo of an earlier identity provider, whose sessions
                                     POST /v1/b2b/sessions/migrate takes [none]`;

export type SettingValues = { [name in keyof typeof SETTING_OPTIONS]?: string | undefined };

type Read = (text: string, option: string, isLocal: boolean) => SqlValue;

const COLUMNS: Record<keyof SettingValues, [column: string, read: Read]> = {
  "portal-link": ["portal_link", oneOf(["code", "code"], ["token", "token"])],
  "portal-url": ["portal_url", readPortalUrl],
  "portal-code-ttl": ["portal_code_ttl_seconds", integer(30, YEAR_SECONDS)],
  "allowed-return-origins": ["allowed_return_origins", origins],
  "session-ttl": ["session_ttl_seconds", integer(60, YEAR_SECONDS)],
  "session-max-ttl": ["session_max_ttl_seconds", integer(300, YEAR_SECONDS)],
  "max-sessions-per-member": ["max_sessions_per_member", integer(1, 10_000)],
  "member-model": ["member_model_enabled", oneOf(["on", 1], ["off", 0])],
  "seat-based-pricing": ["seat_based_pricing_enabled", oneOf(["on", 1], ["off", 0])],
  "login-picker": ["login_picker", oneOf(["after-proof", "after_proof"], ["polar", "polar"])],
  "email-change": ["allow_email_change", oneOf(["on", 1], ["off", 0])],
  "userinfo-url": ["userinfo_url", userinfoUrl],
};

/**
 * The columns of the settings that were given.
 * @param isLocal whether the Worker that follows them may call this machine.
 * @throws {Refusal}
 */
export function settingColumns(values: SettingValues, isLocal = false): Record<string, SqlValue> {
  const names = Object.keys(COLUMNS) as (keyof SettingValues)[];
  return Object.fromEntries(
    names.flatMap((name) => {
      const [column, read] = COLUMNS[name];
      const text = values[name];
      return text === undefined ? [] : [[column, read(text, name, isLocal)]];
    }),
  );
}

function oneOf(...choices: [text: string, value: SqlValue][]) {
  const values = new Map(choices);
  return (text: string, option: string) => {
    const value = values.get(text);
    if (value === undefined) throw new Refusal(`--${option} is ${[...values.keys()].join(" or ")}, not "${text}".`);
    return value;
  };
}

function integer(min: number, max: number) {
  return (text: string, option: string) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new Refusal(`--${option} is a number from ${min} to ${max}.`);
    return value;
  };
}

function userinfoUrl(text: string, option: string, isLocal: boolean): SqlValue {
  if (text === "none") return null;
  try {
    return readOutsideUrl(text, isLocal).href;
  } catch (error) {
    throw new Refusal(`--${option} ${(error as Error).message}, or "none".`);
  }
}

function origins(text: string): SqlValue {
  const listed = text === "none" ? [] : text.split(",").map((origin) => origin.trim());
  for (const origin of listed) {
    // Matching is exact, so another spelling of an origin would never match.
    const url = URL.canParse(origin) ? new URL(origin) : null;
    if (url === null || !/^https?:$/.test(url.protocol) || url.origin !== origin) {
      throw new Refusal(
        `"${origin}" is not an origin. One looks like https://app.example.com: no path, no final slash.`,
      );
    }
  }
  return JSON.stringify(listed);
}
