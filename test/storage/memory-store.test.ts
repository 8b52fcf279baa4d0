/** The in-memory store does what the real one does. */

import { fakeClock } from "../support/clock.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { sessionStoreContract } from "./session-store.contract.ts";

sessionStoreContract(() => {
  const clock = fakeClock();
  const { store, signIns, directory } = createMemoryStore(clock);
  return {
    store,
    signIns,
    clock,
    settle: async () => {},
    makeTenant: async (settings) => directory.addTenant(settings),
    deleteOrganization: async (id) => directory.deleteOrganization(id),
    deleteCustomer: async (id) => directory.deleteCustomer(id),
    deleteMember: async (id) => directory.deleteMember(id),
    changeRole: async (memberId, role) => directory.changeRole(memberId, role),
    changeEmail: async (memberId, email) => directory.changeEmail(memberId, email),
  };
});
