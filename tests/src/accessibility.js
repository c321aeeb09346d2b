// What keeps some people from using the page that is open: a list of sentences, which is empty if nothing does. Names of what
// can be used, the order of headings, contrast in the scheme that is preferred now, and whether the focus is seen. Details are
// opened, so that what is in menus counts too.

const found = new Set();
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const told = (element) => {
  const start = element.outerHTML.slice(0, 120).replace(/\s+/g, " ");
  return element.id ? `#${element.id}: ${start}` : start;
};
const wrong = (what, element) => found.add(`${what}: ${told(element)}`);

const still = new CSSStyleSheet();
still.replaceSync("*, *::before, *::after { transition: none !important; animation: none !important }");
document.adoptedStyleSheets = [...document.adoptedStyleSheets, still];
for (const details of all("details")) details.open = true;
const isSeen = (element) => {
  const box = element.getBoundingClientRect();
  return element.checkVisibility({ visibilityProperty: true }) && box.width > 1 && box.height > 1;
};

// Names.

const textOf = (node) => {
  if (node.nodeType === Node.TEXT_NODE) return node.nodeValue;
  if (node.nodeType !== Node.ELEMENT_NODE || node.getAttribute("aria-hidden") === "true") return "";
  return node.getAttribute("alt") || [...node.childNodes].map(textOf).join("");
};
const nameOf = (element) => {
  const ids = (element.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean);
  const by = ids.map((id) => document.getElementById(id)?.textContent || "").join(" ");
  return (by || element.getAttribute("aria-label") || "").trim();
};
const isHidden = (element) => element.closest('[aria-hidden="true"]');

for (const field of all("input:not([type=hidden]), select, textarea")) {
  const labels = [...(field.labels || [])].map((label) => label.textContent).join(" ");
  if (!nameOf(field) && !labels.trim()) wrong("a field without a label", field);
}
for (const element of all("a[href], button, summary, [role=button]")) {
  if (!isHidden(element) && !nameOf(element) && !textOf(element).trim()) wrong("nothing says what it does", element);
}
for (const picture of all("img:not([alt])")) wrong("a picture without a text", picture);
for (const picture of all("svg")) {
  const isNamed = nameOf(picture) || picture.querySelector(":scope > title")?.textContent.trim();
  if (!isHidden(picture) && !isNamed) wrong("a drawing without a name that is not hidden", picture);
}
for (const region of all("[role=region], nav, section[aria-labelledby]")) {
  if (!nameOf(region)) wrong("a region without a name", region);
}
for (const head of all("thead th, tbody th")) if (!head.scope) wrong("a head of a table without its scope", head);

// Structure.

if (!document.documentElement.lang) found.add("the page has no language");
if (!document.title.trim()) found.add("the page has no title");
if (all("main").length !== 1) found.add("not one <main>");
const ids = all("[id]").map((element) => element.id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.add(`two elements have the id ${id}`);
for (const attribute of ["for", "aria-labelledby", "aria-describedby", "aria-controls"]) {
  for (const element of all(`[${attribute}]`)) {
    const missing = element.getAttribute(attribute).split(/\s+/).filter((id) => !document.getElementById(id));
    if (missing.length > 0) wrong(`${attribute} leads nowhere`, element);
  }
}
// A column beside the text may come before its heading.
let level = 1;
for (const heading of all("h1, h2, h3, h4, h5, h6").filter((heading) => heading.checkVisibility())) {
  const next = Number(heading.tagName[1]);
  if (next > level + 1) wrong(`a heading of level ${next} after one of level ${level}`, heading);
  level = next;
}
if (all("h1").length !== 1) found.add("not one <h1>");

// Contrast.

const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", {
  willReadFrequently: true,
});
const known = new Map();
const colour = (text) => {
  if (!known.has(text)) {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = text;
    pen.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = pen.getImageData(0, 0, 1, 1).data;
    known.set(text, [red, green, blue, alpha / 255]);
  }
  return known.get(text);
};
const over = ([r, g, b, alpha], ground) => [r, g, b].map((part, at) => part * alpha + ground[at] * (1 - alpha));
const luminance = (parts) => {
  const [r, g, b] = parts.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  if (!element) return [255, 255, 255];
  return over(colour(getComputedStyle(element).backgroundColor), ground(element.parentElement));
};
// What fades with an element fades to what is behind it. What is not seen at all is judged as it is when the pointer or the focus
// brings it up.
const faded = (element, shown) => {
  for (let at = element; at; at = at.parentElement) {
    const opacity = Number(getComputedStyle(at).opacity);
    if (opacity > 0 && opacity < 1) shown = over([...shown, opacity], ground(at.parentElement));
  }
  return shown;
};
const contrast = (element, ink) => {
  const paper = ground(element);
  const shown = over(colour(ink), paper);
  const [one, other] = [faded(element, shown), faded(element, paper)].map(luminance);
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
};
const isLarge = ({ fontSize, fontWeight }) => parseFloat(fontSize) >= (Number(fontWeight) >= 700 ? 18.66 : 24);
const readable = (element, style, ink) => {
  const ratio = contrast(element, ink);
  // A text that is transparent is not there: colours lie under it.
  if (colour(ink)[3] > 0 && ratio < (isLarge(style) ? 3 : 4.5)) wrong(`contrast ${ratio.toFixed(2)}`, element);
};

const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const seen = new Set();
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  if (!texts.currentNode.nodeValue.trim() || seen.has(element) || element.matches("option, script, noscript, title")) continue;
  seen.add(element);
  if (!isSeen(element) || element.closest(":disabled")) continue;
  const style = getComputedStyle(element);
  readable(element, style, element.closest("svg") ? style.fill : style.color);
}
for (const field of all("input[placeholder]").filter(isSeen)) {
  readable(field, getComputedStyle(field), getComputedStyle(field, "::placeholder").color);
}

// The focus.

const look = (element) => {
  const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor, backgroundColor, stroke } = getComputedStyle(element);
  const outline = outlineStyle === "none" || outlineWidth === "0px" ? "none" : outlineColor;
  return [outline, boxShadow, borderColor, backgroundColor, stroke].join("; ");
};
// The frame of an editor may show the focus of its text.
const looks = (element) => [element, element.parentElement, element.parentElement?.parentElement].filter(Boolean).map(look).join(" | ");
for (const element of all("a[href], button, summary, input:not([type=hidden]), select, textarea, [tabindex='0']").filter(isSeen)) {
  if (element.disabled) continue;
  document.activeElement?.blur();
  const before = looks(element);
  element.focus({ focusVisible: true, preventScroll: true });
  if (document.activeElement === element && looks(element) === before) wrong("the focus is not seen", element);
}
document.activeElement?.blur();

return [...found];
