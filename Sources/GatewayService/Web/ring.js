// The ring round a number: how much of its time is left.

/** Runs until the time is over or it is stopped; `onSecond` hears the whole seconds that are left. */
export class Ring {
  #element;
  #circle;
  #timer;

  constructor(element) {
    this.#element = element;
    this.#circle = element.querySelector(".left");
  }

  start(endsAt, lifetime, onSecond = () => {}) {
    this.stop();
    const tick = () => {
      const left = Math.max(0, endsAt - Date.now());
      // A second ahead, because the stroke takes a second to move there.
      this.#circle.setAttribute("stroke-dashoffset", String(100 - 100 * Math.max(0, Math.min(1, (left - 1000) / lifetime))));
      this.#element.classList.toggle("late", left <= 10_000);
      onSecond(Math.ceil(left / 1000));
      if (left === 0) this.stop();
    };
    this.#circle.setAttribute("stroke-dashoffset", "0");
    this.#timer = setInterval(tick, 1000);
    tick();
  }

  stop() {
    clearInterval(this.#timer);
  }
}

export function showNumber(output, number) {
  output.textContent = number;
  output.classList.toggle("longer", number.length === 3 || number.length === 4);
  output.classList.toggle("longest", number.length > 4);
}
