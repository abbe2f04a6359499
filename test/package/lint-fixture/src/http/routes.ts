import type { Coordinator } from "../coordinator/coordinator.ts";
import { coordinator } from "../coordinator/coordinator.ts"; // must fail: house/import-direction

export const routes = (of: Coordinator): boolean => of === coordinator;
