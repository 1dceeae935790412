// How the end of a request looks in a list, by its status.

export const outcomeTones = { approved: "good", redeemed: "good", denied: "bad", expired: "", canceled: "", pending: "warning" };
export const outcomeGlyphs = { approved: "check", redeemed: "check", denied: "no", expired: "clock", canceled: "close", pending: "clock" };
