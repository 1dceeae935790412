// How the end of a request looks: the same on the sign-in page, on the phone and in lists.

/** Tone and symbol, by status or reason. */
export const looks = {
  approved: ["good", "check"], redeemed: ["good", "check"], denied: ["bad", "no"], declined: ["bad", "no"],
  wrong_number: ["bad", "alert"], reported: ["warning", "shield"], expired: ["warning", "clock"], canceled: ["", "close"],
  pending: ["accent", "clock"],
};

/** Of an entry in a list. What a person did says more than how it ended. */
export const outcomeLook = ({ status, reason }) => looks[reason] ?? looks[status] ?? ["", "info"];
