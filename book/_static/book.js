// Paper is white whatever the screen shows: printing borrows the light theme and gives the reader's own back.
(() => {
  const page = document.documentElement;
  let own = null;
  addEventListener("beforeprint", () => { own ??= page.dataset.theme ?? "light"; page.dataset.theme = "light"; });
  addEventListener("afterprint", () => { if (own !== null) page.dataset.theme = own; own = null; });
  // The theme's sidebar holds the book's name outside any landmark; a screen reader should find it.
  addEventListener("DOMContentLoaded", () => {
    const side = document.querySelector("div.bd-sidebar-primary");
    side?.setAttribute("role", "complementary");
    side?.setAttribute("aria-label", "The book");
  });
})();
