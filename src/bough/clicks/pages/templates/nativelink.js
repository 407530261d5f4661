// A tap on the button copies the link, then goes where the button leads. A refused copy does not hold the visitor up.
(() => {
  const button = document.getElementById("get");
  if (!button) return;
  const copyTheOldWay = (text) => {
    const field = document.createElement("textarea");
    field.value = text;
    field.readOnly = true;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  };
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    const text = button.dataset.copy;
    try {
      const late = new Promise((_, reject) => setTimeout(reject, 1000));
      await Promise.race([navigator.clipboard.writeText(text), late]);
    } catch {
      copyTheOldWay(text);
    }
    location.href = button.href;
  });
})();
