// Buttons are hidden in the page, and shown where a script can make them work.
for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// Copy buttons: hidden in the page, shown where a script can make them work.
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    const text = source.value ?? source.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // No secure context, or no permission: mark it, and copy in the old way.
      if (source.select) source.select();
      else getSelection().selectAllChildren(source);
      button.textContent = document.execCommand("copy") ? "Copied" : "Marked";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}
