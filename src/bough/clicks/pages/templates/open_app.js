// Ask the system to open the app. It does not say whether it did: a page that is still on top after the timeout was
// not left, and one whose clock jumped was asleep behind the app. Begins after the load, which a new address would end.
addEventListener("load", () => {
  const { open, fallback, timeout } = document.body.dataset;
  const wait = Number(timeout);
  const started = Date.now();
  let left = false;
  const leave = () => { left = true; };
  document.addEventListener("visibilitychange", () => { if (document.hidden) leave(); });
  addEventListener("pagehide", leave);
  if (fallback) {
    setTimeout(() => {
      if (!left && !document.hidden && Date.now() - started < wait + 2000) location.replace(fallback);
    }, wait);
  }
  if (open) location.href = open;
});
