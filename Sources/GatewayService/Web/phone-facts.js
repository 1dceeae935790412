// What this phone says of itself. A browser runs anywhere: what stands for its system is the browser.

export const appVersion = "1.0.0";

const browsers = [["Edge", /\bEdg(?:A|iOS)?\/([\d.]+)/], ["Opera", /\bOPR\/([\d.]+)/], ["Samsung Internet", /\bSamsungBrowser\/([\d.]+)/],
  ["Firefox", /\b(?:Firefox|FxiOS)\/([\d.]+)/], ["Chrome", /\b(?:HeadlessChrome|Chrome|CriOS)\/([\d.]+)/], ["Safari", /\bVersion\/([\d.]+).*Safari/]];
const systems = [["iPhone", /\biPhone\b/], ["iPad", /\biPad\b/], ["Android", /\bAndroid\b/], ["Windows", /\bWindows\b/],
  ["ChromeOS", /\bCrOS\b/], ["macOS", /\bMac OS X\b/], ["Linux", /\bLinux\b/]];

/** `{browser, version, system}` of a User-Agent header, each null when it is none of those that people know. */
export function readUserAgent(text) {
  const known = browsers.map(([browser, pattern]) => [browser, pattern.exec(text)]).find(([, match]) => match);
  return { browser: known?.[0] ?? null, version: known?.[1][1] ?? null, system: systems.find(([, pattern]) => pattern.test(text))?.[0] ?? null };
}

/** Of the contract's `device`; the name is for the person to tell devices apart. */
export function deviceFacts(name) {
  return { name, platform: "web", osVersion: (readUserAgent(navigator.userAgent).version ?? "").slice(0, 32), appVersion };
}
