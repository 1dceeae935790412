// How the end of a request looks in a list.

const tones = { approved: "good", redeemed: "good", denied: "bad", expired: "", canceled: "", pending: "warning" };
const glyphs = { approved: "check", redeemed: "check", denied: "no", expired: "clock", canceled: "close", pending: "clock" };

/** Tone and symbol of an entry. That somebody reported it matters more than how it ended. */
export function outcomeLook({ status, reason }) {
  return reason === "reported" ? ["warning", "alert"] : [tones[status] ?? "", glyphs[status] ?? "info"];
}
