/** Purpose: every planted bug, of the pair, of records, of sites and of the feed. */
import { PLANTED_FEED_BUGS } from "./feed.ts";
import { PLANTED_BUGS } from "./pair.ts";
import { PLANTED_RECORD_BUGS } from "./records.ts";
import { PLANTED_SITE_BUGS } from "./sites.ts";

/** Every bug that must be found. */
export const ALL_BUGS = [...PLANTED_BUGS, ...PLANTED_RECORD_BUGS, ...PLANTED_SITE_BUGS, ...PLANTED_FEED_BUGS];
