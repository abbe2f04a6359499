/** The bounds of the reference switcher, in one place, so that no state and no call can grow without end. */

/** Characters of a call's kind (`"METHOD /path?query"`). */
export const MAX_KIND_CHARS = 1_024;
/** Segments of a call's path. */
export const MAX_PATH_SEGMENTS = 16;
/** Characters of a payload's canonical text. */
export const MAX_PAYLOAD_CHARS = 65_536;
/** The same for a macro; one of `MAX_PLAN_STEPS` steps fits. */
export const MAX_MACRO_CHARS = 262_144;
/** Nesting of a payload: room is left for the places where the state holds it. */
export const MAX_PAYLOAD_DEPTH = 32;
/** Paths whose last call is kept; beyond it the one called longest ago goes. */
export const MAX_KEPT_PATHS = 256;
/** Characters of a name: source, macro, preset, template. */
export const MAX_NAME_CHARS = 128;
export const MAX_SOURCES = 256;
/** Transport settings, or key settings, of one source. */
export const MAX_SETTINGS = 64;
export const MAX_CHANNELS = 256;
export const MAX_EQ_BANDS = 8;
export const MAX_LAYERS = 64;
export const MAX_SLOTS = 16;
export const MAX_LAYOUT_PRESETS = 64;
export const MAX_PRESETS = 64;
export const MAX_MACROS = 64;
/** Steps of one run of a macro, waits and steps of nested macros included. */
export const MAX_PLAN_STEPS = 1_000;
/** Macros within macros. */
export const MAX_MACRO_DEPTH = 8;
/** Milliseconds of one transition, fade, motion or wait. */
export const MAX_DURATION_MS = 600_000;
/** Pixels: positions may lie outside the picture, as with a graphic that flies in. */
export const MAX_PIXELS = 16_384;
