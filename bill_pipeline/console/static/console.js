// The console works without this script. It adds: pages that follow running work, keys, and
// buttons that say they are busy.
"use strict";

const fetchPart = (address) =>
  fetch(address, { headers: { "X-Fragment": "1" }, credentials: "same-origin" });

// A part of the page that follows work: it is asked for again until it no longer says data-poll.
const poll = (element) => {
  setTimeout(async () => {
    try {
      const answer = await fetchPart(element.dataset.poll);
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = fresh.body.firstElementChild;
      element.replaceWith(next);
      if (next.dataset.poll) poll(next);
      else location.reload();
    } catch {
      poll(element);
    }
  }, 700);
};

// A table that follows work: the page is fetched and the part with the same id put in place.
const refresh = (element) => {
  setTimeout(async () => {
    if (element.contains(document.activeElement) && document.activeElement !== element) {
      return refresh(element);
    }
    try {
      const page = new DOMParser().parseFromString(
        await (await fetch(location.href)).text(), "text/html");
      const next = page.getElementById(element.id);
      if (!next) return location.reload();
      element.replaceWith(next);
      if (next.dataset.refresh) refresh(next);
    } catch {
      refresh(element);
    }
  }, Number(element.dataset.refresh));
};

const isTyping = (target) =>
  target.closest("input:not([type=checkbox]):not([type=radio]), select, textarea, [contenteditable]");

let pendingGo = false;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && isTyping(event.target)) return event.target.blur();
  if (isTyping(event.target)) return;
  if (pendingGo) {
    pendingGo = false;
    document.querySelector(`[data-go="${CSS.escape(event.key)}"]`)?.click();
    return;
  }
  if (event.key === "g") { pendingGo = true; setTimeout(() => { pendingGo = false; }, 1200); return; }
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!target || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  if (target.matches("input, select, textarea")) target.focus();
  else target.click();
});

document.addEventListener("submit", (event) => {
  const button = event.submitter ?? event.target.querySelector("button:not([type=button])");
  if (event.target.dataset.busy && button) {
    button.textContent = event.target.dataset.busy;
    setTimeout(() => { button.disabled = true; });
  }
});

document.querySelectorAll("[data-poll]").forEach(poll);
document.querySelectorAll("[data-refresh]").forEach(refresh);

// A chosen CSV is put into the text field, where it can be seen and corrected before it is sent.
document.querySelectorAll("input[type=file][data-into]").forEach((chooser) => {
  chooser.addEventListener("change", async () => {
    const field = document.getElementById(chooser.dataset.into);
    field.value = await chooser.files[0].text();
    chooser.value = "";
    field.focus();
  });
});

document.querySelectorAll("select[data-submit]").forEach((choice) => {
  choice.addEventListener("change", () => choice.form.requestSubmit());
});

document.querySelectorAll("[data-choose-all]").forEach((all) => {
  all.addEventListener("change", () => {
    const name = all.dataset.chooseAll || "chosen";
    all.closest("form").querySelectorAll(`input[name="${CSS.escape(name)}"]`).forEach((box) => {
      box.checked = all.checked;
    });
  });
});

// On a phone the tabs scroll: the one a person is on must be seen.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
