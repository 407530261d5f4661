// The tab that was left for the app or the store goes on when its visitor comes back.
(() => {
  const after = document.body.dataset.after;
  let left = false;
  if (!after) return;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) left = true;
    else if (left) location.replace(after);
  });
})();
