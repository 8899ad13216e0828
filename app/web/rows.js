// The rows of a list, or the cards of a column, made from text in one call: by calls from Go, each of a row's forty elements
// would cost several crossings.
//
// draw(zone, height, total, text): zone is the id of the element that holds the rows, height that of a row in pixels, total
// how many there are with those that are not drawn. text has a row between each two characters 1E, and of each row between
// characters 1F its id, its place, "1" when it can be dragged, and the HTML of its one element, empty when it looks as before.
// The result is false when the element does not hold a row that is said to look as before.
const template = document.createElement("template");

export function draw(zone, height, total, text) {
  const list = document.getElementById(zone);
  if (!list) return true; // gone again
  const before = list.rows ?? new Map();
  const rows = (list.rows = new Map());
  const fresh = document.createDocumentFragment();
  let whole = true;
  for (const part of text ? text.split("\x1e") : []) {
    const [id, place, drag, html] = part.split("\x1f");
    let row = before.get(id);
    if (row) before.delete(id);
    else if (html) fresh.append((row = make(id)));
    else {
      whole = false;
      continue;
    }
    if (html) look(row, html);
    stand(row, Number(place), height, total, drag && id);
    rows.set(id, row);
  }
  for (const row of before.values()) row.remove();
  list.append(fresh);
  return whole;
}

function make(id) {
  const row = document.createElement("li");
  row.dataset.row = id;
  return row;
}

function look(row, html) {
  html = html.replace(/><use href="#i-([a-z0-9-]+)"><\/use>/g, (_, name) => icon(name));
  if (!row.firstChild) {
    row.innerHTML = html;
    return;
  }
  template.innerHTML = html;
  become(row.firstChild, template.content.firstChild);
}

const icons = new Map();

// icon is a symbol's content, in the place of a reference to it: for each reference the browser would make a tree of its own.
function icon(name) {
  let text = icons.get(name);
  if (!text) {
    const symbol = document.getElementById(`i-${name}`);
    text = ` viewBox="${symbol.getAttribute("viewBox")}">${symbol.innerHTML}`;
    icons.set(name, text);
  }
  return text;
}

// stand says where a row is. What was said last is kept beside, which is quicker to read than attributes.
function stand(row, place, height, total, drag) {
  const was = row.stands ?? {};
  if (was.place !== place) row.setAttribute("aria-posinset", place + 1);
  if (was.total !== total) row.setAttribute("aria-setsize", total);
  if (was.place !== place || was.height !== height) row.style.transform = `translateY(${place * height}px)`;
  if (was.drag !== drag) {
    if (drag) row.dataset.drag = drag;
    else delete row.dataset.drag;
  }
  row.stands = { place, height, total, drag };
}

// become makes an element look like another and leaves alone what is the same: what has the keyboard keeps it, and a press
// that has begun becomes a click.
function become(el, next) {
  if (el.nodeName !== next.nodeName) {
    el.replaceWith(next);
    return;
  }
  if (el.nodeType === Node.TEXT_NODE) {
    if (el.data !== next.data) el.data = next.data;
    return;
  }
  for (const { name } of [...el.attributes]) if (!next.hasAttribute(name)) el.removeAttribute(name);
  for (const { name, value } of next.attributes) if (el.getAttribute(name) !== value) el.setAttribute(name, value);
  const children = [...el.childNodes];
  const wanted = [...next.childNodes];
  wanted.forEach((child, i) => {
    if (!children[i]) el.append(child);
    else if (!children[i].isEqualNode(child)) become(children[i], child);
  });
  for (const child of children.slice(wanted.length)) child.remove();
}
