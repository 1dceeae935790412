// Calls in a person's session: when it has ended, the way is to sign in again and come back here. Whoever has something to keep
// until then hears `sessionended` on the window.

import { call } from "./api.js";
import { tenant } from "./page.js";

export async function asMe(method, path, options) {
  return (await replyToMe(method, path, options)).body;
}

/** With the status and the entity tag. */
export async function replyToMe(method, path, options) {
  try {
    return await call(method, path, options);
  } catch (problem) {
    if (problem.status !== 401) throw problem;
    dispatchEvent(new Event("sessionended"));
    signInAgain("session=ended");
    // The page is on its way out: whoever waits for this must not go on.
    return new Promise(() => {});
  }
}

export function signInAgain(why) {
  const back = encodeURIComponent(location.pathname + location.search);
  location.replace(`/${tenant}/sign-in?${why}&return=${back}`);
}

export async function signOut() {
  await call("DELETE", "session");
  location.assign(`/${tenant}/sign-in?session=signed-out`);
}
