import { value } from "../core/value.ts";
import { readFileSync } from "node:fs"; // must fail: house/import-direction
import { helper } from "../../test/helper.ts"; // must fail: house/import-direction

export const port = [value, readFileSync, helper];
