/** Purpose: the bounds of a page between two places: what one may ask for, and what the other must expect. */

/** Operations of one page. */
export const MAX_PAGE_OPS = 1_000;
export const DEFAULT_PAGE_OPS = 500;
/** Bytes of one page; a single operation may be larger, and is then a page of its own. */
export const MIN_PAGE_BYTES = 1;
export const MAX_PAGE_BYTES = 8_388_608;
export const DEFAULT_PAGE_BYTES = 1_048_576;
/** Bytes of one push. */
export const MAX_PUSH_BYTES = 16_777_216;
/** The form of a cursor: "", or the stamp of an arrival. */
export const CURSOR_FORM = "^([0-9a-f]{16}-[!-~]{1,128})?$";
/** Origins that one token of role `spoke` may write as, unless the configuration says otherwise. */
export const MAX_ORIGINS_PER_TOKEN = 8;
