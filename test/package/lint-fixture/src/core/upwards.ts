import { port } from "../ports/port.ts"; // must fail: house/import-direction
export { act } from "../actors/act.ts"; // must fail: house/import-direction
export type Act = typeof import("../actors/act.ts").act; // must fail: house/import-direction, @typescript-eslint/consistent-type-imports
export const lazy = (): Promise<unknown> => import("../actors/act.ts"); // must fail: house/import-direction
export const copy = port;
