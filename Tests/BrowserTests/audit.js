// What a person with a screen reader, a keyboard or weak eyes would trip over; one sentence a fault. Runs in the page.
() => {
  const faults = [];
  const scope = document.querySelector("dialog[open]") ?? document.body;
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
  const shown = (selector) => [...scope.querySelectorAll(selector)].filter(isShown);
  const called = (element) => `<${element.localName}${element.id ? " #" + element.id : ""}> ${(element.textContent ?? "").trim().slice(0, 40)}`;
  const byIds = (ids) => (ids ?? "").split(/\s+/).filter(Boolean).map((id) => document.getElementById(id));
  const name = (element) => (element.getAttribute("aria-label") || byIds(element.getAttribute("aria-labelledby")).map((label) => label?.textContent).join(" ")
    || [...(element.labels ?? [])].map((label) => label.textContent).join(" ") || element.alt || (element.matches("input,select,textarea") ? "" : element.innerText) || "").trim();

  if (!document.documentElement.lang) faults.push("the page has no language");
  if (!document.title.trim()) faults.push("the page has no title");
  if (scope === document.body) {
    if (shown("h1").length !== 1) faults.push(`${shown("h1").length} headings of the first level`);
    if (shown("main").length !== 1) faults.push("there is not one main part");
  } else if (!name(scope)) faults.push("a dialog has no name");
  let level = scope === document.body ? 0 : 1;
  for (const heading of shown("h1,h2,h3,h4")) {
    const next = Number(heading.localName[1]);
    if (next > level + 1) faults.push(`${called(heading)} skips a level`);
    level = next;
  }
  for (const control of shown("button,a[href],input,select,textarea,summary,[role=button]")) {
    if (control.matches("[aria-hidden=true]")) continue;
    if (!name(control)) faults.push(`${called(control)} has no name`);
    const box = control.getBoundingClientRect();
    const isInline = control.localName === "a" && getComputedStyle(control).display === "inline";
    const target = control.closest("label")?.getBoundingClientRect() ?? box;
    // On a phone a finger needs more; what a button takes from around it is its ::after.
    const least = innerWidth < 544 ? 44 : 24;
    const around = getComputedStyle(control, "::after");
    const extent = (side) => Math.max(target[side], around.content === "none" ? 0 : parseFloat(around[side]) || 0);
    if (!isInline && (extent("width") < least || extent("height") < least)) faults.push(`${called(control)} is smaller than ${least} by ${least}`);
    const [icon, words] = [control.querySelector(":scope > svg"), [...control.childNodes].find((node) => node.textContent.trim())];
    const isSeen = words && !(words.nodeType === Node.ELEMENT_NODE && words.getBoundingClientRect().height <= 1);
    if (control.matches(".button") && icon && isSeen) {
      const range = document.createRange();
      range.selectNodeContents(words);
      const [one, other] = [icon.getBoundingClientRect(), range.getBoundingClientRect()];
      const apart = Math.abs((one.top + one.bottom - other.top - other.bottom) / 2);
      if (apart > 0.6) faults.push(`icon and words of ${called(control)} are ${apart.toFixed(2)} pixels apart`);
    }
  }
  for (const image of shown("img")) if (!image.hasAttribute("alt")) faults.push(`${called(image)} has no text instead`);
  for (const picture of shown("svg")) if (picture.getAttribute("aria-hidden") !== "true" && !name(picture)) faults.push("a picture has neither a name nor aria-hidden");
  for (const element of document.querySelectorAll("[aria-labelledby],[aria-describedby]")) {
    for (const attribute of ["aria-labelledby", "aria-describedby"]) {
      if (byIds(element.getAttribute(attribute)).includes(null)) faults.push(`${called(element)}: ${attribute} names nothing`);
    }
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) faults.push(`the id ${id} occurs twice`);
  if (scope !== document.body && scope.scrollHeight > scope.clientHeight + 1) {
    const edges = [scope, ...scope.querySelectorAll(":scope > .actions")].map((edge) => getComputedStyle(edge));
    if (!edges.every((style) => style.backgroundAttachment.includes("local") || style.boxShadow !== "none")) faults.push("a dialog is cut with no sign that there is more");
  }
  if (document.documentElement.scrollWidth > innerWidth) faults.push(`the page is ${document.documentElement.scrollWidth} wide in ${innerWidth}`);

  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colour = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const layer = colour(getComputedStyle(at).backgroundColor);
      if (layer[3] > 0) layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((value) => (value / 255 <= .04045 ? value / 255 / 12.92 : ((value / 255 + .055) / 1.055) ** 2.4));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const contrast = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + .05) / (low + .05);
  };
  const walker = document.createTreeWalker(scope, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !isShown(element) || element.closest(".out-of-sight,.skip,noscript,:disabled")) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const below = behind(element);
    const ratio = contrast(over(colour(style.color), below), below);
    if (ratio < needed) faults.push(`${called(element)} has a contrast of ${ratio.toFixed(2)}, ${needed} is needed`);
  }
  for (const field of shown("input:not([type=checkbox],[type=radio]),select,textarea")) {
    if (field.matches("[aria-hidden=true]")) continue;
    const ratio = contrast(colour(getComputedStyle(field).borderTopColor), behind(field.parentElement));
    if (ratio < 3) faults.push(`the edge of ${called(field)} has a contrast of ${ratio.toFixed(2)}, 3 is needed`);
  }
  return faults;
}
