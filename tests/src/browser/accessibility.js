// What stands in the way of somebody who reads with a screen reader, with little sight, or on a small telephone: the rules
// of WCAG 2.2 AA that a machine can check. Returns a list of sentences.
const found = [];
const complain = (element, what) => found.push(`${element.tagName.toLowerCase()}#${element.id} "${element.textContent.trim().slice(0, 30)}": ${what}`);
const root = document.documentElement;
const seen = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest("[aria-hidden=true]") && !element.classList.contains("skip");

if (!root.lang) complain(root, "no language");
if (!document.title.trim()) complain(root, "no title");
if (document.querySelectorAll("h1").length != 1) complain(root, "not one h1");
if (!document.querySelector("main")) complain(root, "no main");
if (root.scrollWidth > root.clientWidth) complain(root, `wider than the window: ${root.scrollWidth} > ${root.clientWidth}`);

const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
ids.filter((id, at) => ids.indexOf(id) != at).forEach((id) => found.push(`the id ${id} is there twice`));
for (const attribute of ["aria-describedby", "aria-labelledby", "for"]) {
  for (const element of document.querySelectorAll(`[${attribute}]`)) {
    for (const id of element.getAttribute(attribute).split(" ")) {
      if (!document.getElementById(id)) complain(element, `${attribute} names ${id}, which is not there`);
    }
  }
}

let level = 0;
for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
  const here = Number(heading.tagName[1]);
  if (here > level + 1) complain(heading, "a level of headings is left out");
  level = here;
}

for (const field of document.querySelectorAll("input:not([type=hidden]), textarea, select")) {
  if (![...field.labels].some((label) => label.textContent.trim()) && !field.ariaLabel) complain(field, "no label");
}
for (const element of document.querySelectorAll("a, button, summary, [role=img]")) {
  if (!element.textContent.trim() && !element.ariaLabel) complain(element, "no name");
}

// 44 px for what is pressed; a link within a sentence may be as low as its line (2.5.8).
for (const element of document.querySelectorAll("button, .button, summary, label.choice, input:not([type=hidden], [type=radio], [type=checkbox]), textarea")) {
  const { height } = element.getBoundingClientRect();
  if (seen(element) && height < 43.9) complain(element, `only ${height} px high`);
}

// 4.5 to 1, or 3 to 1 for large text (1.4.3). Our backgrounds are plain colours.
const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = channels(getComputedStyle(at).backgroundColor);
    if (colour.length == 3 || colour[3] > 0) return colour;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
};
for (const element of document.querySelectorAll("body *")) {
  const says = [...element.childNodes].some((node) => node.nodeType == 3 && node.data.trim());
  if (!says || !seen(element) || element.closest("svg, noscript, script, :disabled")) continue;
  const style = getComputedStyle(element), size = parseFloat(style.fontSize);
  const [a, b] = [light(channels(style.color)), light(behind(element))].sort((x, y) => y - x);
  const contrast = (a + 0.05) / (b + 0.05), isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  if (contrast < (isLarge ? 3 : 4.5)) complain(element, `contrast ${contrast.toFixed(2)}`);
}
return found;
