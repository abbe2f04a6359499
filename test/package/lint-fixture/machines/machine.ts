import { setup } from "xstate";
import type { Value } from "../src/core/value.ts";
import { value } from "../src/core/value.ts"; // must fail: house/import-direction
import { act } from "../src/actors/act.ts"; // must fail: house/import-direction

export const machine: Value = value;
export const parts = [setup, act];
