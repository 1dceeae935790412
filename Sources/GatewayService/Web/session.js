// Calls in a person's session: when it has ended, the way is to sign in again and come back here.

import { call } from "./api.js";
import { tenant } from "./page.js";

export async function asMe(method, path, options) {
  try {
    return (await call(method, path, options)).body;
  } catch (problem) {
    if (problem.status !== 401) throw problem;
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
