// The filters of a log, kept in the address so that reload, Back and bookmarks find the same lines.

/** Fields are named after the members of the query; a `datetime-local` one is the browser's own time. */
export class FilterForm {
  #form;

  constructor(form, changed) {
    this.#form = form;
    this.#read();
    this.#fold();
    narrow.addEventListener("change", () => this.#fold());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const address = new URL(location.href);
      address.search = "";
      for (const [name, value] of Object.entries(this.members)) if (value) address.searchParams.set(name, value);
      if (address.href !== location.href) history.pushState(null, "", address);
      changed();
    });
    addEventListener("popstate", () => {
      this.#read();
      this.#fold();
      changed();
    });
  }

  /** What is asked for, as the API takes it. */
  get members() {
    return Object.fromEntries(this.#fields.map((field) => [field.name, isTime(field) && field.value ? new Date(field.value).toISOString() : field.value.trim()]));
  }

  get #fields() { return [...this.#form.elements].filter((field) => field.name); }

  /** On a phone the fields leave the place to the lines until they are asked for or say something; none goes while somebody is in it. */
  #fold() {
    const fold = this.#form.closest("details");
    fold.open = !narrow.matches || this.#fields.includes(document.activeElement) || Object.values(this.members).some(Boolean);
    fold.dataset.ready = "";
  }

  #read() {
    const { searchParams } = new URL(location.href);
    for (const field of this.#fields) {
      const value = searchParams.get(field.name) ?? "";
      field.value = isTime(field) && !Number.isNaN(Date.parse(value)) ? ownTime(new Date(value)) : value;
    }
  }
}

const narrow = matchMedia("(max-width: 34rem)");
const isTime = (field) => field.type === "datetime-local";

/** As the field writes it: local, to the minute. */
function ownTime(date) {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}
