/** The table of interpreted calls; every other call is kept under its path. */
import type { Json } from "../core/canonical-json.ts";
import { audioRoutes } from "./audio.ts";
import { type Call, type Outcome, type Target, isRefusal, parseKind } from "./call.ts";
import { graphicsRoutes } from "./graphics.ts";
import { layoutRoutes } from "./layout.ts";
import { macroRoutes } from "./macros.ts";
import { keepCall } from "./other-calls.ts";
import { presetRoutes } from "./presets.ts";
import type { Route } from "./route.ts";
import { sourceRoutes } from "./sources.ts";
import type { SwitcherState } from "./state.ts";
import { switchRoutes } from "./switching.ts";

/** In order: a fixed path stands before a pattern that would match it. */
const ROUTES: readonly Route[] = [
  ...switchRoutes,
  ...audioRoutes,
  ...graphicsRoutes,
  ...layoutRoutes,
  ...sourceRoutes,
  ...presetRoutes,
  ...macroRoutes,
];

/** The route of a target with the variables of its path, or `null` for a call that is not interpreted. */
export function findRoute(target: Target): { route: Route; params: readonly string[] } | null {
  for (const route of ROUTES) {
    const params = route.match(target);
    if (params !== null) return { route, params };
  }
  return null;
}

/** Carries out one call. `at`: when, and as part of which command. */
export function applyCall(
  state: SwitcherState,
  kind: string,
  payload: Json,
  at: { atUs: number; seq: number; id: string },
): Outcome {
  const target = parseKind(kind);
  if (isRefusal(target)) return target;
  const found = findRoute(target);
  const { method, path } = target;
  const call: Call<Json> = { method, path, params: found?.params ?? [], body: payload, payload, ...at };
  return found === null ? keepCall(state, call) : found.route.apply(state, call);
}
