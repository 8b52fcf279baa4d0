/** The people behind the in-memory store: organizations, customers and members that a test can make and unmake. */

import type { Customer, Member, MemberRole, Organization } from "../../src/core/directory.ts";
import type { Clock } from "../../src/core/ports.ts";
import type { Person, Tenant } from "./fixtures.ts";

interface Fate {
  epoch: number;
  deletedAt: number | null;
}

export type MemoryOrganization = Organization & Fate;
export type MemoryCustomer = Omit<Customer, "ownerEmail"> & Fate;
export type MemoryMember = Member & Fate & { organizationId: string };

export type MemoryDirectory = ReturnType<typeof createMemoryDirectory>;

export function createMemoryDirectory(clock: Clock) {
  const organizations = new Map<string, MemoryOrganization>();
  const customers = new Map<string, MemoryCustomer>();
  const members = new Map<string, MemoryMember>();

  function addOrganization(settings: Partial<Organization> = {}): MemoryOrganization {
    const id = crypto.randomUUID();
    const organization: MemoryOrganization = {
      id,
      slug: `org-${id.slice(0, 8)}`,
      name: "An organization",
      createdAt: clock.now(),
      modifiedAt: null,
      portalLink: "code",
      portalUrl: null,
      portalCodeTtlSeconds: 300,
      allowedReturnOrigins: [],
      sessionTtlSeconds: 3600,
      sessionMaxTtlSeconds: 2_592_000,
      maxSessionsPerMember: 100,
      memberModelEnabled: true,
      seatBasedPricingEnabled: true,
      loginPicker: "after_proof",
      allowEmailChange: false,
      userinfoUrl: null,
      epoch: 0,
      deletedAt: null,
      ...settings,
    };
    organizations.set(id, organization);
    return organization;
  }

  function addCustomer(organizationId: string, fields: Partial<Customer> = {}): MemoryCustomer {
    const id = crypto.randomUUID();
    const customer: MemoryCustomer = {
      id,
      organizationId,
      type: "team",
      externalId: `ext-${id}`,
      email: null,
      emailVerified: false,
      name: "A customer",
      billingName: null,
      billingAddress: null,
      taxId: null,
      locale: null,
      metadata: {},
      slug: null,
      logoUrl: null,
      trustedMetadata: {},
      ownRoles: [],
      domainRoles: [],
      signInSettings: {},
      createdAt: clock.now(),
      modifiedAt: null,
      epoch: 0,
      deletedAt: null,
      ...fields,
    };
    customers.set(id, customer);
    return customer;
  }

  function addMember(customer: MemoryCustomer, role: MemberRole): Person {
    const id = crypto.randomUUID();
    const member: MemoryMember = {
      id,
      organizationId: customer.organizationId,
      customerId: customer.id,
      email: `${role}-${id.slice(0, 8)}@example.com`,
      name: `A ${role}`,
      externalId: `ext-${id}`,
      role,
      status: "active",
      emailVerified: false,
      assignedRoles: [],
      trustedMetadata: {},
      untrustedMetadata: {},
      signInSettings: {},
      retiredEmails: [],
      createdAt: clock.now(),
      modifiedAt: null,
      epoch: 0,
      deletedAt: null,
    };
    members.set(id, member);
    return { id, email: member.email, externalId: `ext-${id}` };
  }

  function bury(kept: Fate | undefined): void {
    if (kept === undefined) throw new Error("no such row");
    kept.deletedAt = clock.now();
    kept.epoch++;
  }

  return {
    organizations,
    customers,
    members,
    addOrganization,
    addCustomer,
    addMember,

    /** The same people as fixtures.ts makes in D1. */
    addTenant(settings: Partial<Organization> = {}): Omit<Tenant, "apiKey"> {
      const { id, slug } = addOrganization(settings);
      const team = addCustomer(id);
      const email = `solo@${slug}.example.com`;
      const individual = addCustomer(id, { type: "individual", email });
      return {
        id,
        slug,
        team: {
          id: team.id,
          externalId: team.externalId as string,
          owner: addMember(team, "owner"),
          billingManager: addMember(team, "billing_manager"),
          member: addMember(team, "member"),
        },
        individual: {
          id: individual.id,
          externalId: individual.externalId as string,
          email,
          owner: addMember(individual, "owner"),
        },
      };
    },

    deleteOrganization: (id: string) => bury(organizations.get(id)),
    deleteCustomer: (id: string) => bury(customers.get(id)),
    deleteMember: (id: string) => bury(members.get(id)),
    changeRole(memberId: string, role: MemberRole): void {
      const member = members.get(memberId);
      if (member === undefined) throw new Error("no such member");
      member.role = role;
    },

    changeEmail(memberId: string, email: string): void {
      const member = members.get(memberId);
      if (member === undefined) throw new Error("no such member");
      member.email = email;
    },

    ownerEmail: (customerId: string): string | null =>
      [...members.values()].find(
        (member) => member.customerId === customerId && member.role === "owner" && member.deletedAt === null,
      )?.email ?? null,
  };
}

export function presentMember({ organizationId: _o, epoch: _e, ...member }: MemoryMember): Member {
  return member;
}
