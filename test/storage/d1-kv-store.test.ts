/** The store of the product, over real D1 and KV in workerd. */

import { createSignInStore } from "../../src/storage/sign-in-codes.ts";
import { changeEmail, changeRole, softDelete } from "../support/directory-changes.ts";
import { makeTenant } from "../support/fixtures.ts";
import { makeWorld } from "../support/world.ts";
import { sessionStoreContract } from "./session-store.contract.ts";

sessionStoreContract(() => {
  const world = makeWorld();
  const { store, database, settle } = world.isolate();
  return {
    store,
    signIns: createSignInStore(database, world.clock),
    clock: world.clock,
    settle,
    makeTenant: ({ maxSessionsPerMember } = {}) =>
      makeTenant(maxSessionsPerMember === undefined ? {} : { max_sessions_per_member: maxSessionsPerMember }),
    deleteOrganization: (id) => softDelete("organizations", id, world.clock),
    deleteCustomer: (id) => softDelete("customers", id, world.clock),
    deleteMember: (id) => softDelete("members", id, world.clock),
    changeRole,
    changeEmail,
  };
});
