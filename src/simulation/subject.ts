/** Purpose: what is simulated: the real coordinator, with room for one wrong rule. */
import { createCoordinator } from "../coordinator/create-coordinator.ts";
import type { CoordinatorFactory } from "./world/world-ground.ts";

export const simulated: CoordinatorFactory = (ports, options, rules) => createCoordinator(ports, options, rules);
