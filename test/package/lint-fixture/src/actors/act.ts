import { machine } from "../../machines/machine.ts";
import { open } from "../adapters/open.ts"; // must fail: house/import-direction
import { coordinator } from "../coordinator/coordinator.ts"; // must fail: house/import-direction

export const act = [machine, open, coordinator];
