// The page works without this. With it, what is new appears by itself, and one hears beforehand what would become of a text.
//
// There is one way in which anything on the page changes: it is asked for again, as the server renders it, and whatever of its
// living parts differs is put in place. No text is ever made into markup here.

const root = document.documentElement.dataset.root;
const byId = (id) => document.getElementById(id);
const said = byId("said"), composer = byId("composer"), text = byId("text");

// Times, by the reader's own clock.
const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const full = new Intl.DateTimeFormat(undefined, { weekday: "short", month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
const styles = {
  clock: (time) => clock.format(time),
  long: (time) => full.format(time),
  short: (time) => (new Date().toDateString() === time.toDateString() ? clock : day).format(time),
};

function tellTimes(within) {
  for (const each of within.querySelectorAll("time[data-style]")) {
    const time = new Date(each.dateTime);
    each.textContent = styles[each.dataset.style](time);
    each.title = full.format(time);
  }
}

// Puts the children of `fresh` into `old`, keeping each that is the same: a picture is not loaded again, the focus stays.
function settle(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  const focused = document.activeElement?.id;
  const known = new Map([...old.children].filter((each) => each.id).map((each) => [each.id, each]));
  let place = old.firstElementChild;
  for (const child of [...fresh.children]) {
    const kept = known.get(child.id);
    let next = child;
    if (kept?.isEqualNode(child)) {
      next = kept;
    } else if (kept?.getAttribute("role") === "status") {
      kept.replaceChildren(...child.childNodes); // what is read aloud must have been there before
      next = kept;
    }
    if (kept && kept === place) place = place.nextElementSibling;
    if (kept && kept !== next) kept.remove();
    if (next !== kept || next.nextElementSibling !== place) old.insertBefore(next, place);
    if (!kept && known.size) arrive(next);
  }
  while (place) {
    const gone = place;
    place = place.nextElementSibling;
    gone.remove();
  }
  if (focused && document.activeElement?.id !== focused) byId(focused)?.focus({ preventScroll: true });
}

function arrive(element) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  element.animate([{ opacity: 0, translate: "0 .5rem" }, {}], { duration: 220, easing: "ease-out" });
}

// Puts in place whatever differs in a page that the server gave.
function show(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  tellTimes(page);
  for (const old of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(old.id);
    // What is said of a text that is being typed is asked for with the text.
    if (fresh && !(old.id === "outlook" && text?.value)) settle(old, fresh);
  }
  if (page.title) document.title = page.title;
  lookAgain();
  return page;
}

// A picture that is still being fetched is no event: one looks again, ever more rarely.
let patience = 1000;
function lookAgain() {
  if (!document.querySelector("[data-waiting]")) return;
  setTimeout(refreshSoon, patience);
  patience = Math.min(patience * 2, 60_000);
}

// Asks for this page again. Whoever is not signed in any more is sent to where one signs in.
async function refresh() {
  const answer = await fetch(location.href);
  if (answer.redirected) return location.assign(answer.url);
  if (answer.ok) {
    const seen = show(await answer.text()).getElementById("seen");
    lookAhead();
    if (seen) markSeen(seen);
  }
}

// At once, and then no more than so often while things keep coming.
let due = null, again = false;
async function refreshSoon() {
  if (due) {
    again = true;
    return;
  }
  due = new Promise((rest) => setTimeout(rest, 300));
  try {
    await refresh();
  } catch { /* The stream says when the server is there again. */ }
  await due;
  due = null;
  if (again) {
    again = false;
    refreshSoon();
  }
}

// What is new. A page that nobody sees holds no stream open: a browser has few of them for one server.
let stream = null, refused = false;
function follow() {
  if (stream || document.hidden) return;
  stream = new EventSource(`${root}/events`);
  stream.addEventListener("message.received", (event) => {
    said.textContent = `New text from ${JSON.parse(event.data).data.from}`;
    refreshSoon();
  });
  stream.addEventListener("message.status", refreshSoon);
  stream.addEventListener("consent.changed", refreshSoon);
  stream.addEventListener("open", () => {
    byId("away").hidden = true;
    refused = false;
    refreshSoon();
    document.documentElement.dataset.following = "yes";
  });
  stream.addEventListener("error", () => {
    byId("away").hidden = false;
    delete document.documentElement.dataset.following;
    if (stream.readyState !== EventSource.CLOSED) return;
    stream = null;
    // The session has ended, and this page will say so; or there is no room for now.
    setTimeout(() => refresh().then(follow, follow), refused ? 5000 : 0);
    refused = true;
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    stream?.close();
    stream = null;
    delete document.documentElement.dataset.following;
  } else follow(); // and so ask for all that is new
});

// How far the thread was read.
async function markSeen(form) {
  if (document.hidden || form.dataset.sent) return;
  form.dataset.sent = "yes";
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (answer.ok) refreshSoon();
  } catch { /* It is tried again when the page is asked for again. */ }
}

// What is being typed.
let asking = null;
async function lookAhead() {
  if (!composer || (!text.value && !byId("size").textContent)) return;
  asking?.abort();
  asking = new AbortController();
  try {
    const body = new URLSearchParams(new FormData(composer));
    const answer = await fetch(composer.dataset.outlook, { method: "POST", body, signal: asking.signal });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    tellTimes(page);
    settle(byId("outlook"), page.getElementById("outlook"));
  } catch (error) {
    if (!(error instanceof TypeError) && error.name !== "AbortError") throw error; // a TypeError: there was no answer
  }
}

// Whoever gets no answer sends again under the same name, and the text is sent once.
let name = "";
const newName = () => [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");

async function send() {
  const button = byId("send");
  if (button.disabled || !text.value.trim()) return;
  button.disabled = true;
  try {
    const body = new URLSearchParams(new FormData(composer));
    const answer = await fetch(composer.action, { method: "POST", body, headers: { "Idempotency-Key": (name ||= newName()) } });
    name = "";
    if (answer.redirected && !answer.url.startsWith(composer.action)) return location.assign(answer.url);
    const sent = answer.ok;
    if (sent) text.value = "";
    const page = show(await answer.text());
    said.textContent = sent ? "Queued" : page.querySelector(".problem, #refused")?.textContent || "It was not sent";
    if (sent) document.querySelector(".scroll").scrollTop = 0;
    else lookAhead();
  } catch {
    said.textContent = "The server did not answer. Send it again: it will not be sent twice.";
  } finally {
    if (byId("send") === button) button.disabled = false;
  }
  text.focus();
}

if (composer) {
  let typing = 0;
  text.addEventListener("input", () => {
    name = "";
    clearTimeout(typing);
    typing = setTimeout(lookAhead, 150);
  });
  text.addEventListener("keydown", (event) => {
    // On a phone the key makes a new line, and there is a button.
    const wanted = event.key === "Enter" && !event.shiftKey && !event.isComposing && matchMedia("(pointer: fine)").matches;
    if (!wanted) return;
    event.preventDefault();
    send();
  });
  composer.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
}

// What is sent without leaving the page; what comes of it appears by itself.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches("[data-stay]")) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  form.reset();
  const answer = await fetch(form.action, { method: "POST", body });
  if (!answer.ok) said.textContent = "That was not taken";
  refreshSoon();
});

// Up and down in the list.
byId("heads")?.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const links = [...event.currentTarget.querySelectorAll("a")];
  links[links.indexOf(document.activeElement) + step]?.focus();
  event.preventDefault();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  said.textContent = "Copied";
});

tellTimes(document);
lookAgain();
document.querySelector(".head[aria-current]")?.scrollIntoView({ block: "nearest" });
if (byId("seen")) markSeen(byId("seen"));
follow();
