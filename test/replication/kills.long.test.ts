/** Two hundred kills of hub and spokes. */
import { killRounds } from "./kills.suite.ts";

killRounds(200);
