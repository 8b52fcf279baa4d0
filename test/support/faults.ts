/**
 * Rules that make operations on a binding fail, hang, wait or stop at a gate: what fault-kv.ts and fault-d1.ts share.
 * A rule acts before the operation (nothing has happened yet) or after it (it has happened, only its answer suffers).
 * `heal()` drops every rule, opens every gate, and lets what hangs fail as a lost connection.
 */

export type Moment = "before" | "after";

export interface Rule<Operation> {
  on(operation: Operation): boolean;
  when: Moment;
  /** How many operations the rule meets before it is spent. */
  times: number;
  act(operation: Operation): Promise<void>;
}

export interface RuleOptions {
  /** Default: before. */
  when?: Moment;
  /** Default: until healed (a gate: once). */
  times?: number;
}

/** A point where one operation waits for the test. */
export interface Gate {
  /** The operation has come this far. */
  reached: Promise<void>;
  release(): void;
}

export interface Faults<Operation, Selector> {
  /** The general case, for what the others do not say. */
  add(rule: Rule<Operation>): void;
  fail(selector: Selector, options?: RuleOptions & { message?: string }): void;
  hang(selector: Selector, options?: RuleOptions): void;
  slow(selector: Selector, milliseconds: number, options?: RuleOptions): void;
  hold(selector: Selector, options?: RuleOptions): Gate;
  heal(): void;
}

export function createFaults<Operation, Selector>(
  matcher: (selector: Selector) => (operation: Operation) => boolean,
  defaultMessage: (operation: Operation) => string,
) {
  let rules: Rule<Operation>[] = [];
  let healing = Promise.withResolvers<void>();

  function addRule(
    selector: Selector,
    { when = "before", times = Number.POSITIVE_INFINITY }: RuleOptions,
    act: Rule<Operation>["act"],
  ): void {
    rules.push({ on: matcher(selector), when, times, act });
  }

  async function meet(moment: Moment, operation: Operation): Promise<void> {
    for (const rule of rules.filter(({ when, on }) => when === moment && on(operation))) {
      if (rule.times <= 0) continue;
      rule.times--;
      await rule.act(operation);
    }
  }

  const faults: Faults<Operation, Selector> = {
    add(rule) {
      rules.push({ ...rule });
    },

    fail: (selector, { message, ...options } = {}) =>
      addRule(selector, options, async (operation) => {
        throw new Error(message ?? defaultMessage(operation));
      }),

    hang: (selector, options = {}) =>
      addRule(selector, options, async () => {
        await healing.promise;
        throw new Error("Network connection lost.");
      }),

    slow: (selector, milliseconds, options = {}) =>
      addRule(selector, options, () => new Promise((resolve) => setTimeout(resolve, milliseconds))),

    hold(selector, options = {}) {
      const reached = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      const { promise: healed } = healing;
      addRule(selector, { times: 1, ...options }, async () => {
        reached.resolve();
        await Promise.race([released.promise, healed]);
      });
      return { reached: reached.promise, release: released.resolve };
    },

    heal() {
      rules = [];
      healing.resolve();
      healing = Promise.withResolvers<void>();
    },
  };

  /** Runs an operation under the rules that match it. */
  async function run<T>(operation: Operation, apply: () => Promise<T>): Promise<T> {
    await meet("before", operation);
    const result = await apply();
    await meet("after", operation);
    return result;
  }

  return { ...faults, run };
}
