// Says while one types what is left to share out, of a line that is split or of opening balances,
// in whole cents; the server checks it again.
"use strict";

const split = document.getElementById("split") ?? document.getElementById("opening-form");
const left = document.getElementById("left");
const cents = (text) => {
  const plain = text.replace(/[,\s]/g, "").replace("−", "-").replace(/^\((.*)\)$/, "-$1");
  const found = /^(-?)(\d*)(?:\.(\d{0,2}))?$/.exec(plain);
  if (!found || !plain) return plain ? null : 0n;
  const value = BigInt(found[2] || "0") * 100n + BigInt((found[3] ?? "").padEnd(2, "0"));
  return found[1] ? -value : value;
};
const money = (value) => {
  const size = value < 0n ? -value : value;
  const text = `${(size / 100n).toLocaleString("en-US")}.${String(size % 100n).padStart(2, "0")}`;
  return value < 0n ? `(${text})` : text;
};
const showLeft = () => {
  let rest = cents(split.dataset.total ?? "0");
  if (rest === null) { left.textContent = "?"; return; }  // a currency of three decimals
  for (const field of split.querySelectorAll("[data-part]")) {
    const value = cents(field.value);
    if (value === null) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    if (value === null) { left.textContent = "?"; return; }
    rest -= field.dataset.side === "debit" ? -value : value;
  }
  left.textContent = money(rest);
  left.closest("tr").classList.toggle("done", rest === 0n);
};
split.addEventListener("input", showLeft);
// An empty amount beside a chosen account takes what is left.
split.addEventListener("focusin", (event) => {
  if (!event.target.matches("[data-part]") || event.target.value) return;
  if (!event.target.closest("tr").querySelector("[name=account]")?.value) return;
  showLeft();
  if (/^[^?]*[1-9]/.test(left.textContent)) {
    event.target.value = left.textContent;
    event.target.select();
    showLeft();
  }
});
showLeft();
