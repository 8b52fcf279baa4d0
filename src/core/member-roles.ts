/**
 * Who may do what to a customer's members, whoever asks: the organization's backend or a member in the portal. Pure
 * rules over the facts of the moment; storage sees to it that they still hold when it writes.
 */

import type { MemberRole } from "./directory.ts";

const MANAGERS: readonly MemberRole[] = ["owner", "billing_manager"];

/** Whether this role may see and change what concerns the customer as a whole: its billing and its members. */
export const isManager = (role: MemberRole) => MANAGERS.includes(role);
