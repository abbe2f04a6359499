/** A few kills of hub and spokes; `kills.long.test.ts` has two hundred. */
import { killRounds } from "./kills.suite.ts";

killRounds(6);
