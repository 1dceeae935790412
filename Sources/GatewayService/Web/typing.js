// A field that answers while somebody types.

const pause = 250;

/** Calls `work` when nobody has typed for a moment, and `enter` at once when the field's form is submitted. */
export function whenTyped(input, work, enter = work) {
  let timer = 0;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(work, pause);
  });
  input.form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    enter();
  });
}
