// The user name that its person asked this browser to remember, and what this browser therefore offers them first.
//
// The server tells nobody who has not signed in what a person chose: it would tell whether there is such a person. So the choice is
// learned after a sign-in, kept beside the name, and gone with it.

import { tenant } from "./page.js";

const nameKey = `countersign.username.${tenant}`;
const methodKey = `countersign.method.${tenant}`;

export const rememberedName = () => localStorage.getItem(nameKey);

/** The server folds the case of a user name as well. */
export const isRemembered = (name) => rememberedName()?.toLowerCase() === name.toLowerCase();

export function remember(name) {
  if (!isRemembered(name)) localStorage.removeItem(methodKey);
  localStorage.setItem(nameKey, name);
}

export function forgetName() {
  localStorage.removeItem(nameKey);
  localStorage.removeItem(methodKey);
}

/** phoneSignIn, push or code; null for a name that is not remembered, and where nothing has been learned. */
export const firstOffer = (name) => (isRemembered(name) ? localStorage.getItem(methodKey) : null);

/** Approval and codes follow the password, codes unless they are enough alone: without one they lead nowhere. */
export function isUsable(name, methods, isCodeEnough) {
  if (name === "push") return methods.includes("password");
  return name !== "code" || methods.includes("password") || isCodeEnough;
}

/** From the document of `GET me`: what is known of anybody but the remembered person is not kept, nor a method that leads nowhere. */
export function keepFirstOffer({ person, methods, defaultMethod }, isCodeEnough) {
  if (!isRemembered(person.username)) return;
  if (methods.includes(defaultMethod) && isUsable(defaultMethod, methods, isCodeEnough)) localStorage.setItem(methodKey, defaultMethod);
  else localStorage.removeItem(methodKey);
}
