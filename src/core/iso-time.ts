/**
 * An instant as RFC 3339 text in UTC, for what people and other programs read.
 * Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
 * It does not know what time it is.
 */

const DAY_MS = 86_400_000;
const DAYS_OF_ERA = 146_097;
/** From 1 March of the year 0 to 1 January 1970. */
const EPOCH_DAYS = 719_468;

/** `2026-11-21T04:05:06.789Z`, for unix ms from 1970 to the year 9999; a fraction of a ms is dropped. */
export function isoTime(unixMs: number): string {
  const days = Math.floor(unixMs / DAY_MS);
  const msOfDay = Math.floor(unixMs - days * DAY_MS);
  const seconds = Math.floor(msOfDay / 1_000);
  const hours = two(Math.floor(seconds / 3_600));
  const minutes = two(Math.floor(seconds / 60) % 60);
  return `${date(days)}T${hours}:${minutes}:${two(seconds % 60)}.${padded(msOfDay % 1_000, 3)}Z`;
}

/** Counts from March, so that the day that comes and goes stands at the end of the year. */
function date(days: number): string {
  const shifted = days + EPOCH_DAYS;
  const era = Math.floor(shifted / DAYS_OF_ERA);
  const day = shifted - era * DAYS_OF_ERA;
  const yearOfEra = Math.floor(
    (day - Math.floor(day / 1_460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365,
  );
  const dayOfYear = day - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${padded(year, 4)}-${two(month)}-${two(dayOfMonth)}`;
}

const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:([Zz])|([+-])(\d{2}):(\d{2}))$/;

/** Unix ms of RFC 3339 text; null where it is none, or says no offset: what it means would differ from host to host. */
export function parseIsoTime(text: string): number | null {
  const parts = INSTANT.exec(text);
  if (parts === null) return null;
  const [year, month, day, hour, minute, second, offsetHour, offsetMinute] = [1, 2, 3, 4, 5, 6, 10, 11].map((at) =>
    Number(parts[at] ?? 0),
  ) as [number, number, number, number, number, number, number, number];
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return null;
  const days = daysOf(year, month, day);
  // A day that its month does not have is another day.
  if (month < 1 || month > 12 || date(days) !== text.slice(0, 10)) return null;
  const ms = Math.floor(Number(`0.${parts[7] ?? "0"}`) * 1_000);
  const offset = (parts[9] === "-" ? -1 : 1) * (offsetHour * 60 + offsetMinute);
  return days * DAY_MS + ((hour * 60 + minute - offset) * 60 + second) * 1_000 + ms;
}

/** Days since 1970-01-01. Source: as above, `days_from_civil`. */
function daysOf(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_OF_ERA + dayOfEra - EPOCH_DAYS;
}

function two(value: number): string {
  return padded(value, 2);
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
