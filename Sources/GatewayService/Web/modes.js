// How the modes of the authenticator are called.

export const modeKeys = { any: "adminModes.any", deviceBasedPush: "adminModes.deviceBasedPush", push: "adminModes.push" };
