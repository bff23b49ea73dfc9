/** What the page does by itself: dragging a card. Everything else is forms. */
export const hooks = `
document.addEventListener("live:start", ({ detail }) => {
  detail.hooks = {
    Column: {
      mounted() {
        const { el } = this;
        el.addEventListener("dragstart", (event) => {
          const card = event.target.closest?.("[data-card]");
          if (!card) return;
          event.dataTransfer.effectAllowed = "move";
          event.dataTransfer.setData("application/x-card", card.dataset.card);
        });
        el.addEventListener("dragover", (event) => {
          if (event.dataTransfer.types.includes("application/x-card")) event.preventDefault();
        });
        el.addEventListener("drop", (event) => {
          const id = event.dataTransfer.getData("application/x-card");
          if (id === "") return;
          event.preventDefault();
          const others = [...el.querySelectorAll("[data-card]")].filter((c) => c.dataset.card !== id);
          const below = others.findIndex((card) => {
            const { top, height } = card.getBoundingClientRect();
            return event.clientY < top + height / 2;
          });
          this.pushEvent("move", { id, to: el.dataset.column, at: below < 0 ? others.length : below });
        });
      },
    },
  };
});
`;
