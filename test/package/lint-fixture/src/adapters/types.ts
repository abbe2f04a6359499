import { Value } from "../core/value.ts"; // must fail: @typescript-eslint/consistent-type-imports
export * from "../core/value.ts"; // must fail: no-restricted-syntax

type Role = "leader" | "follower";

export function label(role: Role): string {
  // must fail on the next line: @typescript-eslint/switch-exhaustiveness-check
  switch (role) {
    case "leader":
      return "air";
    default:
      return "ready";
  }
}

export const anything: any = 1; // must fail: @typescript-eslint/no-explicit-any
export const typed: Value = 1;

async function work(): Promise<void> {}

export function start(): void {
  work(); // must fail: @typescript-eslint/no-floating-promises
  console.log("started"); // must fail: no-console
}

export default start; // must fail: no-restricted-syntax
