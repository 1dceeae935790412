// The server's time. This phone's own clock may be wrong, but runs as fast.

/** A server says whole seconds, and they travel: what differs less is not worth a correction. */
const differenceMin = 2000;
/** From here on a server refuses what is signed by this phone's own clock. */
const wrongMin = 60_000;

let offset = 0;

/** From the `Date` of a reply. */
export function learnTime(date) {
  const difference = Date.parse(date ?? "") + 500 - Date.now();
  if (Number.isFinite(difference) && Math.abs(difference - offset) > differenceMin) offset = Math.abs(difference) > differenceMin ? difference : 0;
}

/** Milliseconds since 1970. */
export const now = () => Date.now() + offset;

/** A time of the server by this phone's own clock. */
export const here = (time) => time - offset;

/** By how many milliseconds this phone's clock is ahead of the server's; 0 when that does no harm. */
export const clockError = () => (Math.abs(offset) >= wrongMin ? -offset : 0);
