// The modes of the authenticator: how they are called, and what they let a person do.

export const modeKeys = { any: "adminModes.any", deviceBasedPush: "adminModes.deviceBasedPush", push: "adminModes.push" };

/** A person whom the policy allows nothing has no mode: null. */
export const may = {
  phoneSignIn: (mode) => mode === "any" || mode === "deviceBasedPush",
  push: (mode) => mode === "any" || mode === "push",
};
