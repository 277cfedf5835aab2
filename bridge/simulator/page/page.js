"use strict";
// The phone page: shows what the simulator knows, as it changes. Every word from outside is set as text, never as markup.

const api = "/simulator/api";
const $ = (id) => document.getElementById(id);
const state = { setup: { mailboxes: [] }, mailbox: "", phone: "", phones: [] };
const STATUS = {
  sent: ["On its way", ""], delivered: ["Delivered", "good"], undelivered: ["Not delivered", "bad"],
  expired: ["Expired", "bad"], failed: ["Not sent", "bad"], refused: ["Refused", "bad"], unknown: ["Not certain", "open"],
};

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function clock(iso) {
  const date = new Date(iso);
  const hour = { hour: "2-digit", minute: "2-digit" };
  const today = date.toDateString() === new Date().toDateString();
  const time = make("time", "", today ? date.toLocaleTimeString([], hour)
    : date.toLocaleString([], { day: "numeric", month: "short", ...hour }));
  time.dateTime = iso;
  return time;
}

// Grouped as the demo's Italian numbers are read aloud; others stay as they are. The spaces do not break.
const spoken = (number) => number.replace(/^(\+39)(3\d\d)(\d{3})(\d{4})$|^(\+39)(0[26])(\d{4})(\d{4})$/,
  (whole, ...groups) => groups.slice(0, 8).filter(Boolean).join("\u00a0"));

async function call(path, options = {}) {
  let answer;
  try {
    answer = await fetch(api + path, options);
  } catch {
    throw new Error("The simulator does not answer. Is it still running?");
  }
  const body = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.error || `The simulator answered with an error (${answer.status}).`);
  return body;
}

const post = (path, body) =>
  call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

function say(element, sentence, wrong = false) {
  element.textContent = sentence;
  element.classList.toggle("wrong", wrong);
}

// Runs what a form asks for, once at a time, and tells in its status line how that ended.
async function submit(form, status, work) {
  const button = form.querySelector("button[type=submit]");
  if (button.disabled) return;
  button.disabled = true;
  say(status, "Sending…");
  try {
    say(status, await work());
  } catch (error) {
    say(status, error.message, true);
  }
  button.disabled = false;
}

function enterSends(textarea) {
  textarea.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    textarea.form.requestSubmit();
  });
}

// ------------------------------------------------------------------------------------------------------------ phone

async function loadPhones() {
  state.phones = (await call("/phones")).reverse();
  const numbers = state.phones.map((phone) => phone.number);
  if (state.phone && !numbers.includes(state.phone)) numbers.unshift(state.phone);
  $("phone").replaceChildren(...numbers.slice(0, 200).map((number) => new Option(spoken(number), number)));
  $("phone").value = state.phone;
  $("phone").hidden = numbers.length === 0;
}

async function loadPhone() {
  const number = state.phone;
  $("phone-number").textContent = number ? spoken(number) : "";
  $("answer").hidden = !number;
  if (!number) return;
  const phone = await call(`/phones/${encodeURIComponent(number)}`);
  if (number !== state.phone) return;
  const texts = [
    ...phone.messages.map((text) => ({ ...text, at: text.received_at, kind: "theirs" })),
    ...phone.missed.map((text) => ({ ...text, at: text.received_at, kind: "missed" })),
    ...phone.replies.map((text) => ({ ...text, at: text.sent_at, kind: "mine" })),
  ].sort((one, other) => (one.at < other.at ? -1 : 1));
  const list = $("texts");
  const sameList = list.dataset.phone === number && list.children.length <= texts.length
    && [...list.children].every((item, place) => item.dataset.id === texts[place].id);
  const shown = sameList ? list.children.length : 0;
  if (!sameList) list.replaceChildren();
  list.dataset.phone = number;
  for (const text of texts.slice(shown)) list.append(bubble(text, sameList));
  $("phone-empty").hidden = texts.length > 0;
  if (texts.length > shown) list.scrollTop = list.scrollHeight;
}

function bubble(text, fresh) {
  const item = make("li", `text ${text.kind}${fresh ? " fresh" : ""}`, make("p", "words", text.text || "(picture or file)"));
  item.dataset.id = text.id;
  const small = make("small", "", clock(text.at));
  if (text.kind === "mine") small.append(` · to ${spoken(text.to)}`);
  else {
    const alphabet = text.encoding === "ucs2" ? "Unicode" : "GSM 7-bit";
    small.append(` · ${text.segments} SMS, ${alphabet} · from ${spoken(text.from)}`);
  }
  item.append(small);
  if (text.kind === "missed") item.append(make("small", "", "The network took this text, but the phone never got it."));
  return item;
}

async function showPhone(number) {
  if (number !== state.phone) say($("answer-status"), "");
  state.phone = number;
  await Promise.all([loadPhones(), loadPhone()]);
}

// ---------------------------------------------------------------------------------------------------------- mailbox

async function loadThreads() {
  const mailbox = state.mailbox;
  if (!mailbox) return;
  const threads = await call(`/threads/${encodeURIComponent(mailbox)}`);
  if (mailbox !== state.mailbox) return;
  const box = $("threads");
  const known = new Map([...box.children].map((element) => [element.dataset.id, element]));
  const first = box.dataset.mailbox !== mailbox;
  const wanted = threads.map((letters, place) => {
    const element = known.get(letters[0].id) || threadElement(letters, place === 0 || !first);
    fillThread(element, letters, !first);
    return element;
  });
  // Moving an element takes the focus away from whoever writes in it; then the order waits.
  if (!box.contains(document.activeElement) || first) box.replaceChildren(...wanted);
  else for (const element of wanted) if (!element.isConnected) box.prepend(element);
  box.dataset.mailbox = mailbox;
  $("mailbox-empty").hidden = threads.length > 0 || !state.setup.smtp;
}

function threadElement(letters, open) {
  const text = make("textarea");
  text.rows = 1;
  text.required = true;
  text.placeholder = "Answer by mail";
  text.setAttribute("aria-label", "Answer by mail");
  enterSends(text);
  const button = make("button", "", "Send");
  button.type = "submit";
  const status = make("p");
  status.setAttribute("role", "status");
  const form = make("form", "", text, button, status);
  const thread = make("details", "thread", make("summary", "", make("h3"), make("span", "badge")), make("ol"), form);
  thread.dataset.id = letters[0].id;
  thread.open = open;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(form, status, async () => {
      const sent = await post(`/mail/${encodeURIComponent(state.mailbox)}`, answerTo(thread.letters, text.value));
      text.value = "";
      return refusals(sent) || "Sent.";
    });
  });
  return thread;
}

function fillThread(thread, letters, fresh) {
  thread.letters = letters;
  const subject = letters[0].subject.replace(/^(re|aw|r):\s*/i, "") || spoken(phoneAddress(letters).split("@")[0]);
  thread.querySelector("h3").textContent = subject;
  const last = letters.findLast((letter) => letter.statuses.length > 0);
  const badge = thread.querySelector("summary .badge");
  badge.hidden = !last;
  if (last) label(badge, last.statuses[0]);
  thread.querySelector("form").hidden = !phoneAddress(letters);
  const list = thread.querySelector("ol");
  for (const letter of letters.slice(list.children.length)) list.append(letterElement(letter, fresh));
}

function label(badge, status) {
  const [words, tone] = STATUS[status] || [status, ""];
  badge.textContent = words;
  badge.className = `badge ${tone}`;
}

function letterElement(letter, fresh) {
  const who = letter.sent ? `You to ${letter.to.split(", ").map((to) => spoken(to.split("@")[0])).join(", ")}`
    : letter.sender_name || letter.sender;
  const head = make("div", "letter-head", make("strong", "", who));
  for (const status of letter.statuses) {
    const badge = make("span");
    label(badge, status);
    head.append(badge);
  }
  head.append(clock(letter.received_at));
  // The quotation at the end is what the reader has just seen above; it is shown smaller.
  const [words, quoted] = letter.sent ? letter.text.split(/\n\n(?=On [^\n]+ wrote:\n>)/) : [letter.text];
  const item = make("li", `letter${fresh ? " fresh" : ""}`, head, make("p", "words", words));
  if (quoted) item.append(make("p", "words quoted", quoted));
  return item;
}

// The address that texts the phone of a thread: the last phone that wrote, else whom the first mail went to.
function phoneAddress(letters) {
  const domain = `@${state.setup.phone_domain}`;
  const reply = letters.findLast((letter) => !letter.sent && letter.sender.startsWith("+") && letter.sender.endsWith(domain));
  if (reply) return reply.sender;
  const sent = letters.findLast((letter) => letter.sent);
  return sent ? sent.to : "";
}

function answerTo(letters, text) {
  const last = letters.at(-1);
  const when = new Date(last.received_at).toLocaleString("en-GB", { dateStyle: "short", timeStyle: "short" });
  const quote = last.text.split("\n").map((line) => `> ${line}`).join("\n");
  const subject = last.subject || letters[0].subject;
  return {
    to: phoneAddress(letters).split(", "),
    subject: /^re:/i.test(subject) ? subject : `Re: ${subject}`,
    text: `${text}\n\nOn ${when}, ${last.sender_name || last.sender} wrote:\n${quote}\n`,
    in_reply_to: last.message_id,
    references: [...new Set([...last.references, last.message_id])].filter(Boolean),
  };
}

function refusals(sent) {
  const refused = Object.entries(sent.refused);
  return refused.map(([address, reply]) => `${address} was refused: ${reply}`).join(" ");
}

// ----------------------------------------------------------------------------------------------------------- wiring

function showPane(name) {
  document.body.dataset.pane = name;
  for (const button of document.querySelectorAll("nav button")) {
    button.setAttribute("aria-pressed", String(button.dataset.show === name));
    if (button.dataset.show === name) button.classList.remove("news");
  }
  $("texts").scrollTop = $("texts").scrollHeight;
}

function news(pane, sentence) {
  $("announcer").textContent = sentence;
  if (document.body.dataset.pane !== pane) document.querySelector(`nav [data-show=${pane}]`).classList.add("news");
}

async function changed({ kind, name }) {
  if (kind === "all") return loadAll();
  if (kind === "mailbox") {
    if (name !== state.mailbox) return;
    await loadThreads();
    return news("mailbox", "The mailbox changed.");
  }
  // A text on another phone is worth looking at, unless somebody is typing on this one.
  const typing = $("answer-text").value !== "";
  if (name !== state.phone && typing) return loadPhones();
  await showPhone(name);
  news("phone", `The phone ${spoken(name)} changed.`);
}

async function loadAll() {
  $("threads").dataset.mailbox = "";
  await Promise.all([loadPhones(), loadPhone(), loadThreads()]);
}

function listen() {
  const source = new EventSource(`${api}/events`);
  const connection = $("connection");
  // Changes that come while earlier ones are being shown wait here, each once.
  const waiting = new Map();
  let working = false;
  const later = async (change) => {
    waiting.set(JSON.stringify(change), change);
    if (working) return;
    working = true;
    while (waiting.size > 0) {
      const [[key, next]] = waiting;
      waiting.delete(key);
      await changed(next).catch((error) => say(connection, error.message));
    }
    working = false;
  };
  source.addEventListener("open", () => {
    connection.className = "live";
    say(connection, "Live");
    later({ kind: "all" });
  });
  source.addEventListener("error", () => {
    connection.className = "";
    say(connection, "Connection lost, trying again…");
  });
  source.addEventListener("change", (event) => later(JSON.parse(event.data)));
}

function commandLine(setup) {
  const [mailbox] = setup.mailboxes;
  const [host, port] = setup.smtp.split(":");
  return `python3 -c "import smtplib; s = smtplib.SMTP('${host}', ${port}); s.login('${mailbox}', '${setup.logins[mailbox]}'); `
    + `s.sendmail('${mailbox}', '${setup.sample_number}@${setup.phone_domain}', 'Subject: Hello\\n\\nYour visit is tomorrow at 10:30.')"`;
}

async function start() {
  const setup = state.setup = await call("/setup");
  $("compose").hidden = $("mailbox-empty").hidden = !setup.smtp;
  $("mailbox").replaceChildren(...setup.mailboxes.map((mailbox) => new Option(mailbox, mailbox)));
  $("mailbox").hidden = setup.mailboxes.length === 0;
  state.mailbox = setup.mailboxes[0] || "";
  if (setup.smtp) {
    state.phone = setup.sample_number;
    $("compose-to").value = `${setup.sample_number}@${setup.phone_domain}`;
    $("command").textContent = commandLine(setup);
  }
  $("mailbox").addEventListener("change", () => { state.mailbox = $("mailbox").value; loadThreads(); });
  $("phone").addEventListener("change", () => showPhone($("phone").value));
  $("fate").addEventListener("change", () => {
    $("compose-to").value = `${setup.sample_number.slice(0, -3)}${$("fate").value}@${setup.phone_domain}`;
    if (!$("compose-text").value) $("compose-text").value = $("compose-text").defaultValue;
  });
  $("copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText($("command").textContent);
    $("copy").textContent = "Copied";
  });
  for (const button of document.querySelectorAll("nav button")) {
    button.addEventListener("click", () => showPane(button.dataset.show));
  }
  $("compose").addEventListener("submit", (event) => {
    event.preventDefault();
    submit(event.target, $("compose-status"), async () => {
      const to = $("compose-to").value.split(/[,;\s]+/).filter(Boolean);
      const sent = await post(`/mail/${encodeURIComponent(state.mailbox)}`, { to, subject: "", text: $("compose-text").value });
      $("compose-text").value = "";
      return refusals(sent) || "The bridge took it. Watch the phone.";
    });
  });
  $("answer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit(event.target, $("answer-status"), async () => {
      await post(`/phones/${encodeURIComponent(state.phone)}/replies`, { text: $("answer-text").value });
      $("answer-text").value = "";
      return "Sent to the bridge.";
    });
  });
  enterSends($("compose-text"));
  enterSends($("answer-text"));
  listen();
}

start().catch((error) => say($("connection"), error.message, true));
