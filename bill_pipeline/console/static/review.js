// The review queue by keyboard: answers are sent in the background, one request after another,
// and what piles up meanwhile goes together. Without this script every button still works.
"use strict";

const queue = document.getElementById("queue");
const groups = () => [...queue.querySelectorAll(".group:not(.saving)")];
const current = () => document.activeElement?.closest(".group") ?? groups()[0];
const chosen = () => [...queue.querySelectorAll("input[name=chosen]:checked")];

const moveTo = (group) => {
  group?.focus();
  group?.scrollIntoView({ block: "nearest" });
};
const neighbour = (group, step) => groups()[groups().indexOf(group) + step];

const showNotice = (html) => {
  const notices = document.getElementById("notices");
  notices.innerHTML = html;
  notices.querySelectorAll("form").forEach((form) => {
    const back = document.createElement("input");
    back.type = "hidden"; back.name = "back"; back.value = location.pathname + location.search;
    form.append(back);
  });
};

// Not a reload: the last answer's notice, with its undo, must stay.
const showEnd = () => {
  const end = document.createElement("p");
  const again = document.createElement("a");
  again.href = location.href;
  again.textContent = "Look for more";
  end.append("All of these are settled. ", again);
  queue.replaceWith(end);
};

let isSending = false;
const waiting = [];
const send = async () => {
  if (isSending || !waiting.length) return;
  isSending = true;
  const kind = waiting[0].kind;
  const batch = [];
  while (waiting.length && waiting[0].kind === kind) batch.push(waiting.shift());
  const form = new URLSearchParams({
    csrf_token: queue.elements.csrf_token.value, do: kind, back: location.pathname,
  });
  for (const { fields } of batch) for (const [name, value] of fields) form.append(name, value);
  const restore = (html) => {
    batch.forEach(({ group }) => { group.classList.remove("saving"); group.inert = false; });
    showNotice(html);
    moveTo(batch[0].group);
  };
  try {
    const answer = await fetch("/review", {
      method: "POST", body: form, headers: { "X-Fragment": "1" },
    });
    const html = await answer.text();
    if (answer.ok) {
      batch.forEach(({ group }) => group.remove());
      showNotice(html);
      if (!groups().length && !waiting.length) showEnd();
    } else restore(html);
  } catch {
    restore('<p class="notice error" role="alert">The console cannot be reached. Nothing was saved.</p>');
  }
  isSending = false;
  send();
};

const settle = (kind, some) => {
  if (!some.length) return;
  const next = groups().find((group) => !some.includes(group)
    && groups().indexOf(group) > groups().indexOf(some[some.length - 1]))
    ?? groups().find((group) => !some.includes(group));
  for (const group of some) {
    const key = group.dataset.group;
    const fields = [["chosen", key]];
    group.querySelectorAll("input[name]:not([name=chosen])").forEach((input) => {
      if (input.type !== "checkbox" || input.checked) fields.push([input.name, input.value]);
    });
    if (kind === "accept" && !fields.some(([name, value]) => name === `account-${key}` && value)) {
      moveTo(group);
      group.querySelector("input[list]").focus();
      return;
    }
    group.classList.add("saving");
    group.inert = true;
    waiting.push({ kind, group, fields });
  }
  moveTo(next);
  send();
};

queue.addEventListener("submit", (event) => {
  const [kind, key] = (event.submitter?.value ?? "").split(":");
  if (!["accept", "later"].includes(kind)) return;
  event.preventDefault();
  if (key) settle(kind, [document.getElementById(`g-${key}`)]);
  else settle(kind, chosen().map((box) => box.closest(".group")).filter((g) => !g.inert));
});

const KEYS = {
  j: (group) => moveTo(document.activeElement?.closest(".group") ? neighbour(group, 1) : group),
  k: (group) => moveTo(neighbour(group, -1)),
  a: (group) => settle("accept", [group]),
  l: (group) => settle("later", [group]),
  c: (group) => { const field = group.querySelector("input[list]"); field.focus(); field.select(); },
  r: (group) => group.querySelector("input[name^=rule-]")?.click(),
  x: (group) => group.querySelector("input[name=chosen]")?.click(),
  o: (group) => group.querySelector(".lines-link").click(),
  // A group of several lines is split line by line: its own page lists them.
  s: (group) => (group.querySelector(".split-link") ?? group.querySelector(".lines-link")).click(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.matches("input[list]")) {
    if (event.key === "Enter") {
      event.preventDefault();
      settle("accept", [event.target.closest(".group")]);
    } else if (event.key === "Escape") event.target.closest(".group").focus();
    return;
  }
  if (event.target.closest("input:not([type=checkbox]), select, textarea")) return;
  const group = current();
  if (!group || !KEYS[event.key]) return;
  if (!queue.querySelector("[data-bulk]") && !"jko".includes(event.key)) return;
  event.preventDefault();
  KEYS[event.key](group);
});

const count = () => {
  const number = chosen().length;
  document.getElementById("chosen-count").textContent = number ? `${number} chosen` : "";
};
queue.addEventListener("change", count);
queue.addEventListener("click", (event) => {
  const button = event.target.closest("[data-fill]");
  if (!button) return;
  const field = document.getElementById(button.dataset.fill);
  field.value = button.value;
  field.closest(".group").focus();
});
