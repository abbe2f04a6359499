/** Purpose: how a lie is told: a port of which some members are not what they were. */

/** `port` with some members replaced; methods of the others stay bound to it. */
export function overriding<Port extends object>(port: Port, members: Partial<Port>): Port {
  return new Proxy(port, {
    get: (target, name) => {
      if (name in members) return members[name as keyof Port];
      const value = Reflect.get(target, name) as unknown;
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
