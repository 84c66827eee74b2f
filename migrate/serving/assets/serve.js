// The page of `migrate serve`: the text is tried while one types; rows, people and notes show what comes of it.
// Whatever comes from a file is put in as text (textContent) and inside of <bdi>; nothing is ever parsed as HTML.
"use strict";

const TOKEN = new URLSearchParams(location.search).get("t") || "";
const PAUSE = 120; // milliseconds without a key before the text is tried
const WINDOW = String(Math.random()); // tells the server this window from others
const ROWS = 10; // rows a page
const LONG = 400; // characters of a name or value
const SHOWS = ["all", "mapped", "changed", "warned", "rejected", "filtered", "told"];
const WORDS = { told: "of people only", all: "all rows" };
const MEANS = {
  passed: "passed on", renamed: "renamed", changed: "changed", added: "added", dropped: "dropped",
};
const INSIDE = "properties.";
const OURS = new Set(["$geoip_disable", "historical_migration", "analytics_source", "$import_job_id", "$lib", "$lib_version"]);
const ODD = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const at = (id) => document.getElementById(id);
const state = {
  kind: "none", version: "", saved: "", theirs: null, show: "all", event: "", count: ROWS, tried: 0, number: 0, timer: 0, escaped: false,
};

// Elements

function visible(text) {
  // control characters, and what turns the order of letters around, as their escapes
  return String(text).replace(ODD, (one) => "\\u" + one.charCodeAt(0).toString(16).padStart(4, "0"));
}

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((one) => one !== null && one !== undefined));
  return made;
}

function name(text) {
  return element("bdi", "", visible(text));
}

function long(text) {
  // what would fill the page is shown by its beginning, and whole for whoever opens it
  if (text.length <= LONG) return name(text);
  const summary = element("summary", "", name(`${text.slice(0, LONG / 2)}… (${number(text.length)} characters)`));
  return element("details", "", summary, name(text));
}

function fill(parent, children) {
  parent.replaceChildren(...children);
}

function number(count) {
  return Number(count).toLocaleString("en");
}

function many(count, what) {
  return `${number(count)} ${what}${count === 1 ? "" : "s"}`;
}

// Asking the server

async function ask(path, body) {
  const how = { headers: { "X-Migrate-Token": TOKEN } };
  if (body !== undefined) {
    how.method = "POST";
    how.headers["Content-Type"] = "application/json";
    how.body = JSON.stringify(body);
  }
  try {
    const response = await fetch(path, how);
    return await response.json();
  } catch {
    return { error: { said: "the server does not answer: it has ended, or is busy; look at its terminal", line: null } };
  }
}

function view(start = 0, count = state.count) {
  return { show: state.show, event: state.event || null, start, count };
}

// The editor

function written() {
  // a text area has its own ends of lines; the file keeps those that it has
  const text = at("text").value;
  if (text === state.saved.replace(/\r\n?/g, "\n")) return state.saved;
  return state.saved.includes("\r\n") ? text.replaceAll("\n", "\r\n") : text;
}

function isEdited() {
  return state.kind !== "none" && written() !== state.saved;
}

function tellState() {
  const edited = isEdited();
  at("state").textContent = edited ? "not saved" : state.version ? "saved" : "not there yet";
  at("save").disabled = !edited && state.version !== "";
}

function drawLines(wrong) {
  const lines = at("lines");
  const count = at("text").value.split("\n").length;
  while (lines.children.length > count) lines.lastChild.remove();
  while (lines.children.length < count) lines.append(element("li", "", String(lines.children.length + 1)));
  if (wrong === undefined) return;
  for (const one of lines.querySelectorAll(".wrong")) one.className = "";
  if (wrong && lines.children[wrong - 1]) lines.children[wrong - 1].className = "wrong";
}

function goToLine(line) {
  const text = at("text");
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1] || "").length);
  text.scrollTop = Math.max(0, (line - 4) * parseFloat(getComputedStyle(text).lineHeight));
}

function onKey(event) {
  if (event.key === "Tab" && !event.shiftKey && !event.ctrlKey && !event.altKey && !state.escaped) {
    event.preventDefault();
    // the only way that a browser has to write as a person does, so that it can be undone
    document.execCommand("insertText", false, state.kind === "mapping" ? "    " : "  ");
  }
  state.escaped = event.key === "Escape";
}

function onInput() {
  drawLines();
  tellState();
  clearTimeout(state.timer);
  state.timer = setTimeout(() => tryText(written()), PAUSE);
}

async function save(version = state.version) {
  const text = written();
  const found = await ask("/api/save", { text, version });
  if (found.now) {
    state.theirs = found.now;
    at("conflict-said").textContent = visible(found.error.said);
    at("conflict").hidden = false;
    at("keep-mine").focus();
    return;
  }
  if (found.error) {
    showError(found.error);
    return;
  }
  settle(found);
  await tryText(state.kind === "mapping" ? null : text);
}

function settle(found) {
  state.version = found.version;
  state.saved = found.text;
  state.theirs = null;
  at("conflict").hidden = true;
  tellState();
}

async function keepMine() {
  const version = state.theirs.version;
  at("text").focus();
  await save(version);
}

async function takeTheirs() {
  at("text").value = state.theirs.text;
  settle(state.theirs);
  drawLines();
  at("text").focus();
  await tryText(state.kind === "mapping" ? null : state.saved);
}

// Trying

async function tryText(text) {
  const mine = ++state.tried;
  if (state.kind === "mapping" && text === null) showVerdict("Running it…", false);
  at("result").setAttribute("aria-busy", "true");
  const found = await ask("/api/try", { text, view: view(0), window: WINDOW });
  if (mine !== state.tried) return;
  if (found.moot) {
    // another window's text came after
    setTimeout(() => mine === state.tried && tryText(text), PAUSE);
    return;
  }
  at("result").setAttribute("aria-busy", "false");
  if (found.error) showError(found.error);
  else if (found.compiled) showCompiled();
  else showFound(found);
}

function tryAgain() {
  // the server's rows are those of another window's text by now
  return tryText(state.kind === "spec" ? written() : null);
}

function showVerdict(said, isWrong, line) {
  const verdict = at("verdict");
  verdict.className = isWrong ? "wrong" : "";
  fill(verdict, [name(said)]);
  at("paper").classList.toggle("wrong", isWrong);
  at("text").setAttribute("aria-invalid", String(isWrong));
  drawLines(line || null);
  at("jump").hidden = !line || state.kind === "none";
  if (line) {
    at("to-line").textContent = `Go to line ${line}`;
    at("to-line").onclick = () => goToLine(line);
  }
}

function showError(error) {
  showVerdict(error.said, true, error.line);
  at("result").classList.add("stale");
}

function notAs() {
  return state.kind === "mapping" ? "not as before" : "not as saved";
}

function showCompiled() {
  showVerdict(isEdited() ? "This is Python. Save it to run it: the rows are those of what was saved last." : "Saved.", false);
}

function showFound(found) {
  const left = found.counts.rejected + found.counts.filtered;
  const parts = [`${many(found.counts.all, "row")}: ${number(found.counts.mapped)} mapped`];
  if (found.counts.told) parts.push(`${number(found.counts.told)} of people only`);
  if (left) parts.push(`${number(left)} left out`);
  if (found.counts.changed) parts.push(`${number(found.counts.changed)} ${notAs()}`);
  showVerdict(`${parts.join(", ")}. Tried in ${found.seconds.toFixed(2)} s.`, false);
  at("result").classList.remove("stale");
  state.number = found.number;
  showCounts(found.counts);
  showEvents(found.events);
  showPage(found.page);
  showPeople(found.people);
  showNotes(found.notes);
  showBeside(found.beside);
}

function showCounts(counts) {
  for (const show of SHOWS) {
    at(`count-${show}`).textContent = number(counts[show]);
    at(`show-${show}`).parentElement.classList.toggle("none", !counts[show]);
  }
}

function showEvents(events) {
  const names = Object.entries(events).sort((one, other) => other[1] - one[1]);
  if (state.event && !(state.event in events)) names.push([state.event, 0]);
  const options = names.map(([event, count]) => {
    const option = element("option", "", `${visible(event).slice(0, 120)} (${number(count)})`);
    option.value = event;
    option.selected = event === state.event;
    return option;
  });
  const all = element("option", "", "all events");
  all.value = "";
  fill(at("event"), [all, ...options]);
  at("event").value = state.event;
}

// Rows

async function lookAgain(count = ROWS) {
  state.count = count;
  const found = await ask("/api/rows", { view: view(0), number: state.number });
  if (found.moot) return tryAgain();
  showPage(found);
}

async function lookFurther() {
  const before = at("rows").children.length;
  const found = await ask("/api/rows", { view: view(before, ROWS), number: state.number });
  if (found.moot) return tryAgain();
  if (found.error) return showError(found.error);
  state.count = before + found.rows.length;
  at("rows").append(...found.rows.map(drawRow));
  tellMore(found.of);
  const first = at("rows").children[before];
  if (first) first.focus();
}

function showPage(found) {
  if (found.error) return showError(found.error);
  const rows = found.rows.map(drawRow);
  fill(at("rows"), rows.length ? rows : [element("p", "none", "No row is of this kind.")]);
  tellMore(found.of);
}

function tellMore(of) {
  const shown = at("rows").querySelectorAll(".row").length;
  at("rows-title").textContent = of ? `Rows, ${number(shown)} of ${number(of)}` : "Rows";
  at("more").hidden = shown >= of;
  at("more").textContent = `Show ${number(Math.min(ROWS, of - shown))} more`;
}

function drawRow(row) {
  const head = element("header", "", element("h3", "", name(row.place)));
  head.append(element("span", `outcome ${row.outcome}`, name(row.why || row.outcome)));
  if (row.changed) head.append(element("span", "tag", notAs()));
  for (const warning of row.warnings) head.append(element("span", "tag", "warning: ", name(warning)));
  const payloads = row.payloads.map((fields, n) => {
    const title = row.payloads.length > 1 ? `becomes, ${n + 1} of ${row.payloads.length}` : "becomes";
    return drawFields(title, fields, "from");
  });
  const none = element("p", "none", row.outcome === "told" ? "no event of its own" : "no event");
  const becomes = element("div", "payloads", ...(payloads.length ? payloads : [none]));
  const sides = element("div", "sides", drawFields("source", row.source, "to"), becomes);
  const drawn = element("article", "row", head, sides);
  drawn.tabIndex = -1;
  return drawn;
}

function drawFields(title, fields, preposition) {
  const isPayload = preposition === "from";
  const body = element("tbody");
  let isInside = false;
  for (const [key, value, mark, other] of fields) {
    if (isPayload && !isInside && key.startsWith(INSIDE)) {
      isInside = true;
      const group = element("th", "", "properties");
      group.colSpan = 2;
      group.scope = "rowgroup";
      body.append(element("tr", "group", group));
    }
    const short = isPayload && key.startsWith(INSIDE) ? key.slice(INSIDE.length) : key;
    const label = element("th", "", long(short));
    label.scope = "row";
    const cell = element("td", "", long(value));
    cell.append(tellHow(key, mark, other, preposition));
    body.append(element("tr", isPayload && OURS.has(short) ? `${mark} ours` : mark, label, cell));
  }
  return element("table", "fields", element("caption", "", title), body);
}

function last(key) {
  return key.slice(key.lastIndexOf(".") + 1);
}

function tellHow(key, mark, other, preposition) {
  // what is passed on, added or dropped is seen by its sign, and told to those who hear the page
  const told = element("span", mark === "renamed" || mark === "changed" ? "how" : "hidden", MEANS[mark] || "");
  if (other && last(other) !== last(key) && told.className === "how") told.append(` ${preposition} `, name(last(other)));
  return told;
}

// What holds of rows together

function drawLine([label, text]) {
  return element("li", "", element("span", "label", name(label)), name(text));
}

function showPeople(people) {
  at("people").hidden = !people.persons.length && !people.told.length;
  fill(at("people-told"), people.told.map(drawLine));
  at("persons").hidden = !people.persons.length;
  fill(at("persons").tBodies[0], people.persons.map(({ person, ids }) => {
    const others = ids.flatMap((id, n) => (n ? [", ", name(id)] : [name(id)]));
    return element("tr", "", element("td", "", ...others), element("td", "", name(person)));
  }));
  const more = people.of - people.persons.length;
  at("persons-more").hidden = more <= 0;
  at("persons-more").textContent = `and ${number(more)} people more`;
}

function showNotes(notes) {
  at("notes").hidden = !notes.length;
  fill(at("notes-list"), notes.map(drawLine));
}

function showBeside(beside) {
  at("beside").hidden = !beside.of;
  at("beside-title").textContent = `Told beside the rows, ${number(beside.of)}`;
  fill(at("beside-list"), beside.payloads.map((fields) => drawFields(`event`, fields, "from")));
}

// The beginning

function drawShows() {
  fill(at("shows"), SHOWS.map((show) => {
    const choice = element("input");
    Object.assign(choice, { type: "radio", name: "show", id: `show-${show}`, value: show, checked: show === state.show });
    choice.addEventListener("change", () => {
      state.show = show;
      lookAgain();
    });
    const count = element("b", "", "0");
    count.id = `count-${show}`;
    return element("label", "", choice, element("span", "", `${WORDS[show] || show} `, count));
  }));
}

async function begin() {
  drawShows();
  at("legend").textContent = "= passed on   → renamed   ≠ changed   + added   − dropped   · not known";
  const page = await ask("/api/page");
  if (page.error && !page.kind) return showError(page.error);
  state.kind = page.kind;
  at("platform").textContent = visible(page.platform);
  document.title = `${visible(page.platform)} · migrate serve`;
  const inputs = page.inputs.flatMap((one, n) => (n ? [", ", name(one)] : [name(one)]));
  fill(at("inputs"), [`the first ${many(page.limit, "row")} of `, ...inputs]);
  if (state.kind !== "none") {
    at("main").classList.add("with-editor");
    at("editor").hidden = false;
    at("name").textContent = visible(page.name);
    at("text").value = page.text;
    settle(page);
    drawLines(null);
  }
  if (page.error) return showError(page.error);
  await tryText(state.kind === "spec" ? page.text : null);
}

at("text").addEventListener("input", onInput);
at("text").addEventListener("keydown", onKey);
at("text").addEventListener("scroll", () => { at("lines").scrollTop = at("text").scrollTop; });
at("save").addEventListener("click", () => save());
at("keep-mine").addEventListener("click", keepMine);
at("take-theirs").addEventListener("click", takeTheirs);
at("more").addEventListener("click", lookFurther);
at("event").addEventListener("change", () => {
  state.event = at("event").value;
  lookAgain();
});
addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s" && state.kind !== "none") {
    event.preventDefault();
    save();
  }
});
addEventListener("beforeunload", (event) => {
  if (isEdited()) event.preventDefault();
});
begin();
